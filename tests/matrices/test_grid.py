"""A cells table as a grid of means: what counts, what is missing, what must be named."""

from __future__ import annotations

import pyarrow as pa
import pytest

from matrices.cells import BASELINE, Cell, now, to_table
from matrices.grid import grid, in_family_order
from matrices.view import NoScoresError


def cell(source: str | None, target: str, seed: int, score: float | None, **other: str) -> Cell:
    composition = other.get("composition", "stack" if source else BASELINE)
    return Cell(
        matrix=other.get("matrix", "pos-zero_shot-tiny"),
        encoder="tiny",
        kind=other.get("kind", "zero_shot"),
        composition=composition,
        task="pos",
        metric="accuracy",
        source=source,
        target=target,
        selection=other.get("selection", "last"),
        seed=seed,
        score=score,
        n_items=10 if target == "eng" else 20,
        correct=None,
        total=None,
        status="failed" if score is None else "ok",
        error="out of memory" if score is None else None,
        seconds=1.0,
        device="cpu",
        created_at=now(),
        cell_id="-".join(map(str, (source, target, seed, composition, *other.values()))),
    )


def table(*cells: Cell) -> pa.Table:
    return to_table(cells)


def test_scores_are_means_over_seeds() -> None:
    drawn = grid(table(cell("deu", "eng", 0, 0.5), cell("deu", "eng", 1, 0.7), cell("deu", "fra", 0, 0.4)))
    assert drawn.scores == {("deu", "eng"): pytest.approx(0.6), ("deu", "fra"): 0.4}
    assert (drawn.seeds, drawn.items) == (2, (10, 20))


def test_a_failed_cell_is_missing_and_not_zero() -> None:
    drawn = grid(table(cell("deu", "eng", 0, 0.5), cell("deu", "eng", 1, None), cell("deu", "fra", 0, None)))
    assert drawn.scores == {("deu", "eng"): 0.5}


def test_changes_are_taken_from_the_baseline_of_the_same_seed() -> None:
    drawn = grid(
        table(
            cell(None, "eng", 0, 0.4, kind="interference"),
            cell(None, "eng", 1, 0.6, kind="interference"),
            cell("deu", "eng", 1, 0.7, kind="interference"),
        )
    )
    assert drawn.values == {("deu", "eng"): pytest.approx(0.1)}
    assert drawn.baseline == {"eng": 0.6}


def test_a_place_without_a_baseline_has_no_change() -> None:
    assert grid(table(cell("deu", "eng", 0, 0.7, kind="interference"))).values == {}


def test_languages_stand_by_family_and_those_of_none_last() -> None:
    assert in_family_order(["qaa", "tur", "eng", "deu", "rus", "fin", "eng"]) == (
        *("tur", "deu", "eng", "rus"),
        *("fin", "qaa"),
    )


def test_one_of_several_matrices_must_be_named() -> None:
    both = table(cell("deu", "eng", 0, 0.5), cell("deu", "eng", 0, 0.9, matrix="other"))
    with pytest.raises(ValueError, match="several values of `matrix`: name one of other, pos-zero_shot-tiny"):
        grid(both)
    assert grid(both, matrix="other").scores == {("deu", "eng"): 0.9}


def test_compositions_and_selections_are_drawn_apart() -> None:
    cells = table(
        cell("deu", "eng", 0, 0.5),
        cell("deu", "eng", 0, 0.6, composition="shift"),
        cell("deu", "eng", 0, 0.7, selection="averaged"),
    )
    assert grid(cells, composition="shift", selection="last").scores == {("deu", "eng"): 0.6}
    assert grid(cells, selection="averaged").scores == {("deu", "eng"): 0.7}


def test_where_none_is_named_stack_and_last_are_drawn_as_in_a_recommendation() -> None:
    drawn = grid(table(*(cell("deu", "eng", 0, s, composition=c) for c, s in (("fuse", 0.4), ("stack", 0.5)))))
    assert (drawn.composition, drawn.selection, drawn.scores) == ("stack", "last", {("deu", "eng"): 0.5})
    others = table(*(cell("deu", "eng", 0, 0.5, composition=c, selection="averaged") for c in ("shift-10", "fuse")))
    assert (grid(others).composition, grid(others).selection) == ("fuse", "averaged")
    with pytest.raises(NoScoresError, match="of composition 'stack'; there is: fuse, shift-10"):
        grid(others, composition="stack")


def test_nothing_measured_names_what_there_is() -> None:
    with pytest.raises(NoScoresError, match="there is: pos-zero_shot-tiny"):
        grid(table(cell("deu", "eng", 0, 0.5)), matrix="ner")
    with pytest.raises(NoScoresError, match="there is none yet"):
        grid(table(cell("deu", "eng", 0, None)))
