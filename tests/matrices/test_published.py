from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from matrices.published import Columns, PublishedTableError, read_published, read_scores

SHARED = Path(os.environ.get("SPRACHBUND_SHARED", Path(__file__).parents[3] / "shared")) / "matrices"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "table.csv"


def test_columns_are_found_by_what_they_are_usually_called(file: Path) -> None:
    file.write_text("Target-Lang,Transfer lang,Accuracy,Rank,Note\nyo,de,0.5,1,x\nwo,Hausa,0.25,2,y\n")

    table = read_scores(file)

    assert (table.sources, table.targets) == (("deu", "hau"), ("wol", "yor"))
    np.testing.assert_array_equal(table.scores, [[np.nan, 0.5], [0.25, np.nan]])
    assert not table.pair_features


def test_columns_go_by_the_names_given(file: Path) -> None:
    file.write_text("a,b,c,d\nyo,de,0.5,0.9\n")

    table = read_scores(file, Columns(source="b", target="a", score="d", features=("c",)))

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


def test_one_pair_twice_is_an_error_that_names_both_lines(file: Path) -> None:
    file.write_text("source,target,score,task,run\nde,yo,0.4,pos,0\nde,yo,0.6,ner,1\n")

    with pytest.raises(PublishedTableError, match=r"line 3: de on yo is in line 2 too; .*task"):
        read_scores(file)
    assert read_scores(file, Columns(where=(("task", "ner"),))).scores.tolist() == [[0.6]]
    assert read_scores(file, Columns(seed="run")).scores.tolist() == [[0.5]]


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
        read_scores(file, Columns(score="f1"))


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
