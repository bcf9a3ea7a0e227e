from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from matrices.cells import Cell, from_table
from matrices.published.importing import About, MatrixTakenError, UnfitNameError, import_published
from matrices.published.lines import TableColumns
from matrices.published.reading import PublishedTableError, read_published
from matrices.recommend import Question, ask
from matrices.scores import scores_of
from matrices.snapshot_of_store import read_snapshot
from matrices.store import Store

ABOUT = About(matrix="published-pos", task="pos", encoder="xlm-r", metric="accuracy", citation="Doe 2022")
TEXT = "source,target,score,base\nde,yo,0.5,0.1\nha,yo,0.7,0.1\nde,wo,,0.2\n"


@pytest.fixture
def table(tmp_path: Path) -> Callable[..., Path]:
    def write(text: str = TEXT) -> Path:
        (tmp_path / "table.csv").write_text(text)
        return tmp_path / "table.csv"

    return write


@pytest.fixture
def uri(tmp_path: Path) -> Path:
    return tmp_path / "store"


def cells(uri: Path) -> list[Cell]:
    return from_table(Store(uri).cells(ABOUT.matrix))


def test_a_line_becomes_a_cell_that_says_where_it_came_from(table, uri: Path) -> None:
    done = import_published(uri, read_published(table()), ABOUT)

    assert (done.added, done.found, done.version) == (2, 0, 1)
    first = cells(uri)[0]
    assert (first.source, first.target, first.score) == ("deu", "yor", 0.5)
    assert (first.encoder, first.kind, first.task, first.metric) == ("xlm-r", "zero_shot", "pos", "accuracy")
    assert first.composition == first.selection == "published"
    assert (first.device, first.method, first.data) == ("imported", None, None)
    assert first.provenance is not None
    assert first.provenance.startswith("imported from table.csv (sha256 ")
    assert first.provenance.endswith("): Doe 2022")
    assert (first.correct, first.total, first.n_items) == (None, None, 0)


def test_a_table_comes_out_as_it_went_in(table, uri: Path) -> None:
    import_published(uri, read_published(table()), ABOUT)

    assert scores_of(Store(uri), ABOUT.matrix).scores.tolist() == [[0.5], [0.7]]


def test_importing_twice_adds_nothing(table, uri: Path) -> None:
    import_published(uri, read_published(table()), ABOUT)
    again = import_published(uri, read_published(table()), ABOUT)

    assert (again.added, again.found, again.version) == (0, 2, 1)
    assert len(cells(uri)) == 2


def test_a_table_that_has_grown_adds_its_new_lines(table, uri: Path) -> None:
    import_published(uri, read_published(table()), ABOUT)
    grown = import_published(uri, read_published(table(TEXT + "ha,wo,0.4,0.2\n")), ABOUT)

    assert (grown.added, grown.found) == (1, 2)


def test_another_score_of_the_same_pair_is_refused_and_nothing_is_written(table, uri: Path) -> None:
    import_published(uri, read_published(table()), ABOUT)

    with pytest.raises(MatrixTakenError, match=r"line 3: published-pos already holds 0.7 for hau on yor, this is 0.8"):
        import_published(uri, read_published(table("source,target,score\nig,yo,0.1\nha,yo,0.8\n")), ABOUT)
    assert len(cells(uri)) == 2


@pytest.mark.parametrize(("score", "percent"), [("50", False), ("101", True)])
def test_a_score_that_is_no_share_refuses_the_whole_table(table, uri: Path, score: str, percent: bool) -> None:
    text = f"source,target,score\nde,yo,0.5\nha,yo,{score}\n"

    with pytest.raises(PublishedTableError, match=f"line 3: column 'score': {score} is no share"):
        import_published(uri, read_published(table(text)), About(matrix="m", task="pos", percent=percent))
    assert not uri.exists()


def test_percent_becomes_a_share(table, uri: Path) -> None:
    percent = About(matrix=ABOUT.matrix, task="pos", percent=True)
    import_published(uri, read_published(table("source,target,score\nde,yo,50\n")), percent)

    assert cells(uri)[0].score == 0.5


def test_a_baseline_is_a_cell_without_a_source(table, uri: Path) -> None:
    import_published(uri, read_published(table(), TableColumns(baseline="base")), ABOUT)

    baselines = {cell.target: cell.score for cell in cells(uri) if cell.source is None}
    assert baselines == {"yor": 0.1, "wol": 0.2}
    assert {cell.composition for cell in cells(uri) if cell.source is None} == {"baseline"}


def test_two_baselines_of_a_target_are_refused(table, uri: Path) -> None:
    text = "source,target,score,base\nde,yo,0.5,0.1\nha,yo,0.7,0.3\n"

    with pytest.raises(PublishedTableError, match=r"line 3: baseline 0.3 of yor, but 0.1 in line 2"):
        import_published(uri, read_published(table(text), TableColumns(baseline="base")), ABOUT)


def test_a_rank_is_kept_under_a_metric_of_its_own(table, uri: Path) -> None:
    ranks = "source,target,rank\nde,yo,1\nha,yo,3\nig,yo,2\n"
    import_published(uri, read_published(table(ranks)), ABOUT)

    assert {cell.metric for cell in cells(uri)} == {"share_outranked"}
    assert {cell.source: cell.score for cell in cells(uri)} == {"deu": 1, "hau": 0, "ibo": 0.5}


def test_ranks_and_scores_never_share_a_matrix(table, uri: Path) -> None:
    import_published(uri, read_published(table()), ABOUT)

    with pytest.raises(MatrixTakenError, match="is of metric accuracy, the table of share_outranked"):
        import_published(uri, read_published(table("source,target,rank\nde,wo,1\nha,wo,2\n")), ABOUT)


def test_a_measured_matrix_takes_no_imported_cell(table, uri: Path, make_cell: Callable[..., Cell]) -> None:
    Store.open(uri, create=True).append([make_cell(matrix=ABOUT.matrix, encoder="xlm-r")])

    with pytest.raises(MatrixTakenError, match="was measured, not imported"):
        import_published(uri, read_published(table()), ABOUT)


def test_two_names_of_a_language_make_one_cell(table, uri: Path) -> None:
    import_published(uri, read_published(table("source,target,score\nnb,yo,0.4\nno,yo,0.6\n")), ABOUT)

    assert [(cell.source, cell.score) for cell in cells(uri)] == [("nor", 0.5)]


def test_seeds_stay_apart(table, uri: Path) -> None:
    published = read_published(table("source,target,score,run\nde,yo,0.4,0\nde,yo,0.6,1\n"), TableColumns(seed="run"))
    import_published(uri, published, ABOUT)

    assert {cell.seed: cell.score for cell in cells(uri)} == {0: 0.4, 1: 0.6}


@pytest.mark.parametrize("name", ["", " ", "a/b", "a\nb", "[bold]x", "x" * 121])
def test_a_name_that_no_address_can_hold_is_refused_before_anything_is_written(tmp_path: Path, name: str) -> None:
    file = tmp_path / "table.csv"
    file.write_text("source,target,score\ndeu,yor,0.5\n")

    with pytest.raises(UnfitNameError, match="cannot be the name of a matrix"):
        import_published(tmp_path / "store", read_published(file), About(matrix=name, task="pos"))
    assert not (tmp_path / "store").exists()


@pytest.mark.parametrize(
    ("score", "percent", "says"), [("", False, "no line has a score"), ("0.8", True, "leave it out")]
)
def test_a_table_that_would_import_nothing_or_next_to_nothing_is_refused(
    tmp_path: Path, score: str, percent: bool, says: str
) -> None:
    file = tmp_path / "table.csv"
    file.write_text(f"source,target,score\ndeu,yor,{score}\n")

    with pytest.raises(PublishedTableError, match=says):
        import_published(tmp_path / "store", read_published(file), About(matrix="a", task="pos", percent=percent))
    assert not (tmp_path / "store").exists()


def test_items_that_are_told_too_late_are_an_error_and_not_passed_over(table, uri: Path) -> None:
    import_published(uri, read_published(table()), ABOUT)

    with pytest.raises(MatrixTakenError, match="is of n_items 0, the table of 500"):
        import_published(uri, read_published(table()), replace(ABOUT, items=500))


def test_what_a_table_says_of_percent_is_believed(table, uri: Path) -> None:
    import_published(uri, read_published(table("source,target,F1 (%)\nde,yo,50\nha,yo,25\n")), ABOUT)

    assert {cell.score for cell in cells(uri)} == {0.5, 0.25}


def test_a_table_that_says_percent_of_shares_is_refused(table, uri: Path) -> None:
    with pytest.raises(PublishedTableError, match="these are shares already"):
        import_published(uri, read_published(table("source,target,F1 (%)\nde,yo,0.5\n")), ABOUT)


def test_errors_become_what_they_are_short_of_one(table, uri: Path) -> None:
    published = read_published(table("source,target,wer\nde,yo,20\nha,yo,50\n"), TableColumns(lower_is_better=True))
    import_published(uri, published, About(matrix=ABOUT.matrix, task="asr", percent=True))

    assert {cell.source: cell.score for cell in cells(uri)} == {"deu": 0.8, "hau": 0.5}
    assert {cell.metric for cell in cells(uri)} == {"1 - wer"}


def test_errors_that_have_no_share_are_refused(table, uri: Path) -> None:
    published = read_published(table("source,target,perplexity\nde,yo,20\n"), TableColumns(lower_is_better=True))

    with pytest.raises(PublishedTableError, match=r"20 is no share; .*errors above 1 have no share"):
        import_published(uri, published, About(matrix="m", task="lm"))
    assert not uri.exists()


def test_a_metric_known_to_be_of_errors_is_refused_unless_turned_over(table, uri: Path) -> None:
    with pytest.raises(PublishedTableError, match=r"--metric wer is of errors: .*--lower-is-better"):
        import_published(uri, read_published(table()), replace(ABOUT, metric="wer"))
    assert not uri.exists()


def test_differences_are_kept_as_they_are_under_a_metric_of_their_own(table, uri: Path) -> None:
    published = read_published(table("source,target,delta\nde,yo,-0.05\nha,yo,0.1\n"), TableColumns(differences=True))
    import_published(uri, published, About(matrix=ABOUT.matrix, task="pos"))

    assert {cell.source: cell.score for cell in cells(uri)} == {"deu": -0.05, "hau": 0.1}
    assert {cell.metric for cell in cells(uri)} == {"difference"}


def test_what_stands_after_plus_minus_is_kept_beside_the_cells_once(table, uri: Path) -> None:
    text = "source,target,f1\nde,yo,50.0 ± 0.5\nha,yo,40.0\n"
    percent = replace(ABOUT, percent=True)
    for _ in range(2):
        import_published(uri, read_published(table(text)), percent)

    assert Store(uri).spreads(ABOUT.matrix) == {("deu", "yor", 0): pytest.approx(0.005)}
    assert Store(uri).spreads("another") == {}

    # What is stated is how sure a score is, of the store and of what a service holds of it.
    for reader in (Store(uri), read_snapshot(Store(uri))):
        scores = scores_of(reader, ABOUT.matrix)
        assert scores.errors is not None
        at = scores.sources.index("deu"), scores.targets.index("yor")
        assert scores.errors[at] == pytest.approx(0.005)
        assert np.isfinite(scores.errors).sum() == 1
        ranked = ask(reader, Question(task=ABOUT.task, target="yor")).sources
        low, high = next(one.interval for one in ranked if one.source == "deu")
        assert high - low == pytest.approx(2 * 1.96 * 0.005, rel=0.01)


def test_seeds_in_columns_stay_apart(table, uri: Path) -> None:
    import_published(uri, read_published(table("source,target,seed1,seed2\nde,yo,0.4,0.6\n")), ABOUT)

    assert {cell.seed: cell.score for cell in cells(uri)} == {1: 0.4, 2: 0.6}
