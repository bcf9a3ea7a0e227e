from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from matrices.published.lines import TableColumns
from matrices.published.reading import PublishedTableError, read_published
from matrices.published.scores import read_scores

SHARED = Path(os.environ.get("SPRACHBUND_SHARED", Path(__file__).parents[4] / "shared")) / "matrices"


def test_columns_are_found_by_what_they_are_usually_called(file: Path) -> None:
    file.write_text("Target-Lang,Transfer lang,Accuracy,Rank,Note\nyo,de,0.5,1,x\nwo,Hausa,0.25,2,y\n")

    table = read_scores(file)

    assert (table.sources, table.targets) == (("deu", "hau"), ("wol", "yor"))
    np.testing.assert_array_equal(table.scores, [[np.nan, 0.5], [0.25, np.nan]])
    assert not table.pair_features


def test_columns_go_by_the_names_given(file: Path) -> None:
    file.write_text("a,b,c,d\nyo,de,0.5,0.9\n")

    table = read_scores(file, TableColumns(source="b", target="a", score="d", features=("c",)))

    assert table.scores.tolist() == [[0.9]]
    assert table.pair_features["c"].tolist() == [[0.5]]


def test_numbers_made_of_the_scores_are_no_features_unless_named(file: Path) -> None:
    file.write_text(
        "source,target,score,Rank,Accuracy level,baseline,GENETIC,Word overlap\nde,yo,0.5,1,9,0.1,0.7,0.2\n"
    )

    assert set(read_scores(file).pair_features) == {"GENETIC", "Word overlap"}


def test_two_names_of_a_language_are_averaged_and_it_is_said(file: Path) -> None:
    file.write_text("source,target,score\nnb,yo,0.4\nno,yo,0.6\nde,yo,0.1\n")

    published = read_published(file)

    assert read_scores(file).scores.tolist() == [[0.1], [0.5]]
    assert published.notes == ("nb and no are one language, nor: their scores are averaged",)


def test_two_scripts_of_a_language_are_kept_apart_and_it_is_said(file: Path) -> None:
    file.write_text("source,target,score\nkas_Arab,yor_Latn,0.4\nkas_Deva,yor_Latn,0.6\nkas_Deva,kas_Arab,0.3\n")

    published = read_published(file)

    assert [(line.source, line.target, line.score) for line in published.lines] == [
        ("kas_Arab", "yor", 0.4),
        ("kas_Deva", "yor", 0.6),
        ("kas_Deva", "kas_Arab", 0.3),
    ]
    assert published.notes == ("kas_Arab and kas_Deva are kept apart by script",)


def test_a_script_of_one_name_alone_is_kept_beside_the_language(file: Path) -> None:
    file.write_text("source,target,score\nzh-Hant,yo,0.4\nzh,yo,0.6\nzho,yo,0.8\n")

    published = read_published(file)

    assert [line.source for line in published.lines] == ["zho_Hant", "zho", "zho"]
    assert published.notes == (
        "zho and zho_Hant are kept apart by script",
        "zh and zho are one language, zho: their scores are averaged",
    )


def test_one_pair_twice_is_an_error_that_names_both_lines(file: Path) -> None:
    file.write_text("source,target,score,task,run\nde,yo,0.4,pos,0\nde,yo,0.6,ner,1\n")

    with pytest.raises(PublishedTableError, match=r"line 3: de on yo is in line 2 too; .*task"):
        read_scores(file)
    assert read_scores(file, TableColumns(where=(("task", "ner"),))).scores.tolist() == [[0.6]]
    assert read_scores(file, TableColumns(seed="run")).scores.tolist() == [[0.5]]


def test_ranks_alone_become_the_share_outranked_within_a_target(file: Path) -> None:
    file.write_text("source,target,rank\nde,yo,1\nha,yo,2\nig,yo,2\nfr,yo,4\nde,wo,1\n")

    published = read_published(file)
    table = read_scores(file)

    assert published.ranks_only
    assert dict(zip(table.sources, table.scores[:, 1].tolist(), strict=True)) == {
        "deu": 1,
        "fra": 0,
        "hau": 0.5,
        "ibo": 0.5,
    }
    assert np.isnan(table.scores[:, 0]).all()


def test_a_language_on_itself_is_none_of_the_sources_that_are_outranked(file: Path) -> None:
    file.write_text("source,target,rank\neng,eng,1\ndeu,eng,2\nfra,eng,3\nita,eng,4\n")

    found = read_scores(file)

    assert dict(zip(found.sources, found.scores[:, 0].tolist(), strict=True)) == {
        "deu": 1.0,
        "eng": pytest.approx(np.nan, nan_ok=True),
        "fra": 0.5,
        "ita": 0.0,
    }


def test_an_empty_score_is_not_measured(file: Path) -> None:
    file.write_text("source,target,score\nde,yo,\nha,yo,0.5\n")

    assert np.isnan(read_scores(file).scores[0, 0])
    assert read_published(file).notes == ("1 lines have no score: not measured",)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            "source,target,score\nde,yo,0.5\nde,yoruuba,0.5\n",
            "line 3: column 'target': unknown language 'yoruuba'; nearest known: yor",
        ),
        ("source,target,score\nde,yo,half\n", "line 2: column 'score': 'half' is no number"),
        ("source,target,score\nde,yo,inf\n", "line 2: column 'score': 'inf' is no number"),
        ("source,target,score\nde,yo\n", "line 2: 2 fields; the first line names 3"),
        ("source,target,score\n", "line 1: no line to read"),
        ("", "line 1: which column is the source"),
        ("a,target,score\n", "line 1: which column is the source.* a, target, score"),
        ("source,target,x\n", "line 1: which column is the score, or the rank.* source, target, x"),
        ("source,source,score\n", "line 1: two columns have one name"),
        ("source,target,score\nde,yo,1e300\n", "line 2: column 'score': '1e300' is out of range"),
        ("source,target,score\nde,yo,0.5\nde,wo," + "9" * 200_000, r"line 3: .*field limit.*save it as plain CSV"),
        ("source,target,score\nde,yo\0,0.5\n", "line 2: column 'target': unknown language"),
    ],
)
def test_what_cannot_be_read_names_file_line_and_value(file: Path, text: str, says: str) -> None:
    file.write_text(text)

    with pytest.raises(PublishedTableError, match=f"table.csv, {says}"):
        read_scores(file)


def test_a_column_that_is_not_there_names_those_that_are(file: Path) -> None:
    file.write_text("source,target,score\nde,yo,0.5\n")

    with pytest.raises(PublishedTableError, match="no column 'f1'; there is: source, target, score"):
        read_scores(file, TableColumns(score="f1"))


def test_another_encoding_is_an_error_with_its_line(file: Path) -> None:
    file.write_bytes("source,target,score\nde,Yorùbá,0.5\n".encode("latin-1"))

    with pytest.raises(PublishedTableError, match="line 2: not UTF-8"):
        read_scores(file)


def test_a_tab_separated_file_is_read_by_its_ending(tmp_path: Path) -> None:
    file = tmp_path / "table.tsv"
    file.write_text("source\ttarget\tscore\nde\tyo\t0.5\n")

    assert read_scores(file).scores.tolist() == [[0.5]]


@pytest.mark.skipif(not SHARED.is_dir(), reason=f"no published matrices at {SHARED}; set SPRACHBUND_SHARED")
@pytest.mark.parametrize(
    ("name", "shape", "cells", "features"),
    [
        ("xpos_pos_main", (65, 105), 6825, 0),
        ("langrank_mt_with_features", (54, 54), 2862, 14),
        ("langrank_el_with_features", (54, 9), 477, 10),
        ("langrank_dep_with_features", (30, 30), 870, 13),
        ("langrank_pos_with_features", (60, 26), 1531, 13),
    ],
)
def test_published_matrices_are_read_without_naming_a_column(
    name: str, shape: tuple[int, int], cells: int, features: int
) -> None:
    table = read_scores(SHARED / f"{name}.csv")

    assert table.scores.shape == shape
    assert np.isfinite(table.scores).sum() == cells
    assert len(table.pair_features) == features
    assert all(np.isfinite(values[np.isfinite(table.scores)]).all() for values in table.pair_features.values())


CASES = SHARED.parent / "cases" / "tables"


@pytest.mark.skipif(not CASES.is_dir(), reason=f"no cases at {CASES}; set SPRACHBUND_SHARED")
@pytest.mark.parametrize(
    ("name", "columns", "cells"),
    [
        ("wide.csv", TableColumns(), 36),
        ("semicolon-decimal-comma.csv", TableColumns(), 36),
        ("sep-line.csv", TableColumns(), 36),
        ("tabs-in-txt.txt", TableColumns(), 36),
        ("markdown.md", TableColumns(), 36),
        ("comment-line.csv", TableColumns(), 36),
        ("litmus-like.json", TableColumns(), 3),
        ("percent-signs.csv", TableColumns(), 36),
        ("plus-minus.csv", TableColumns(), 36),
        ("names.csv", TableColumns(), 36),
        ("upper.csv", TableColumns(), 36),
        ("scores-per-seed.csv", TableColumns(), 36),
        ("glottocodes.csv", TableColumns(), 9),
        ("multi-source.csv", TableColumns(skip_unknown=True), 36),
        ("average-row.csv", TableColumns(skip_unknown=True), 36),
        ("wer.csv", TableColumns(lower_is_better=True), 36),
        ("delta.csv", TableColumns(differences=True), 36),
    ],
)
def test_a_table_of_every_kind_has_the_cells_a_person_sees(name: str, columns: TableColumns, cells: int) -> None:
    assert np.isfinite(read_scores(CASES / name, columns).scores).sum() == cells


@pytest.mark.skipif(not CASES.is_dir(), reason=f"no cases at {CASES}; set SPRACHBUND_SHARED")
@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("multi-source.csv", "line 38: .*'en\\+de' is several languages.*--skip-unknown"),
        ("average-row.csv", "line 8: .*'avg' is a summary.*--skip-unknown"),
        ("mixed-scale.csv", "line 8: 47 is of another scale than most: 18 scores are shares up to 0.68, 18 percents"),
        ("wer.csv", "line 2: column 'wer' is of errors, by its name: .*--lower-is-better"),
        ("delta.csv", "line 7: -0.01 is below 0; --differences"),
    ],
)
def test_what_may_be_misread_is_refused_with_the_option_that_helps(name: str, says: str) -> None:
    with pytest.raises(PublishedTableError, match=says):
        read_scores(CASES / name)


@pytest.mark.skipif(not CASES.is_dir(), reason=f"no cases at {CASES}; set SPRACHBUND_SHARED")
def test_names_of_every_kind_are_their_languages() -> None:
    assert read_scores(CASES / "names.csv").targets == ("deu", "eng", "hin", "rus", "swa", "yor")
    assert "eng" in read_scores(CASES / "glottocodes.csv").sources


def test_seeds_in_columns_are_the_seeds_of_a_line(file: Path) -> None:
    file.write_text("source,target,f1_seed1,f1_seed2,f1_seed10\nde,yo,0.4,0.5,0.6\nha,yo,0.1,,0.3\n")

    published = read_published(file)

    assert [(line.seed, line.score) for line in published.lines if line.source == "deu"] == [
        (1, 0.4),
        (2, 0.5),
        (10, 0.6),
    ]
    np.testing.assert_allclose(read_scores(file).scores, [[0.5], [0.2]])


def test_columns_of_seeds_go_by_the_names_given(file: Path) -> None:
    file.write_text("source,target,first,second,score\nde,yo,0.4,0.6,0.9\n")

    published = read_published(file, TableColumns(seeds=("first", "second")))

    assert [(line.seed, line.score) for line in published.lines] == [(0, 0.4), (1, 0.6)]


def test_what_stands_after_plus_minus_is_kept(file: Path) -> None:
    file.write_text("source,target,f1\nde,yo,55.0 ± 0.5\nha,yo,50.0\n")

    assert [line.spread for line in read_published(file).lines] == [0.5, None]
    table = read_scores(file)
    assert table.errors is not None
    np.testing.assert_array_equal(table.errors, [[0.5], [np.nan]])


def test_a_share_more_or_less_than_others_is_no_other_scale(file: Path) -> None:
    """Of percents some may be below 1, where others are not far above."""
    scores = (0.4, 0.9, 1.5, 4.0, 22.0, 61.0)
    file.write_text("source,target,f1\n" + "".join(f"de,{t},{s}\n" for t, s in zip("abcdef", scores, strict=True)))
    text = file.read_text().replace("de,a", "de,yo").replace("de,b", "de,wo").replace("de,c", "de,ha")
    file.write_text(text.replace("de,d", "de,ig").replace("de,e", "de,sw").replace("de,f", "de,zu"))

    assert np.nanmax(read_scores(file).scores) == 61


@pytest.mark.parametrize("name", ["WER", "test_cer", "perplexity", "Error", "phoneme error rate"])
def test_errors_are_known_by_name_and_turned_over_when_asked(file: Path, name: str) -> None:
    file.write_text(f"source,target,{name}\nde,yo,0.2\nha,yo,0.5\n")

    with pytest.raises(PublishedTableError, match="--lower-is-better"):
        read_scores(file, TableColumns(score=name))
    np.testing.assert_allclose(read_scores(file, TableColumns(score=name, lower_is_better=True)).scores, [[0.8], [0.5]])


def test_some_scores_with_and_some_without_a_percent_sign_are_refused(file: Path) -> None:
    file.write_text("source,target,f1\nde,yo,50%\nha,yo,40\n")

    with pytest.raises(PublishedTableError, match="line 3: 40 is not in percent, others are not so"):
        read_scores(file)


@pytest.mark.parametrize(
    "header", ["Train-Language,TRG,F1", "lang_train,lang_pred,score", "task_lang,transfer_lang,las"]
)
def test_the_headers_of_published_tables_are_known(file: Path, header: str) -> None:
    file.write_text(f"{header}\nde,yo,0.5\n")

    table = read_scores(file)

    assert {*table.sources, *table.targets} == {"deu", "yor"}


def test_files_of_a_language_s_data_name_it(file: Path) -> None:
    file.write_text("train_file,eval_file,f1\nmk_train,it_test,0.6\nckb_train,crh_test,0.4\n")

    assert read_scores(file).sources == ("ckb", "mkd")
