"""What was learned is kept as numbers, and makes the model again that was fitted."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pytest

from matrices.bundled import boxed
from matrices.recommend import shown_for
from matrices.recommend.predicted import fit, model_for, saved_model
from matrices.recommend.predicted.explain import outlook
from matrices.recommend.predicted.saved_model import arrays_of, key_of, model_of, scores_for, write_kept
from matrices.scores import ScoreTable, scores_of
from matrices.view import choose

BOX = boxed()
assert BOX is not None
POS = "pos-zero_shot-multilingual-e5-small-4bit-aca29158"


@pytest.fixture(scope="module")
def table() -> ScoreTable:
    assert BOX is not None
    return shown_for(scores_of(BOX, "pos-interference-sprachbund-mini-700a94e5"), "yid")


def test_a_model_made_of_what_was_kept_answers_as_the_one_that_was_fitted(table: ScoreTable) -> None:
    fitted = fit(table)

    again = model_of(table, arrays_of(fitted))

    for target in ("yid", "deu", "zul", "qaa"):
        assert outlook(again, target, ["lat"]) == outlook(fitted, target, ["lat"])


@pytest.mark.parametrize("matrix", [info.matrix for info in BOX.matrices()])
def test_the_models_of_the_box_ship_and_are_those_that_would_be_fitted(
    matrix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert BOX is not None
    table = shown_for(scores_of(BOX, matrix), "yid")
    with monkeypatch.context() as never:
        never.setattr(
            saved_model, "fit", lambda table: pytest.fail("the model is not in the box; run tools/keep_models.py")
        )
        shipped = model_for(table)
    if matrix == POS:
        # Its forest has most of what is kept.
        np.testing.assert_allclose(shipped.predict("yid").mean, fit(table).predict("yid").mean, rtol=1e-9)


@pytest.mark.parametrize("matrix", [info.matrix for info in BOX.matrices()])
def test_the_scores_of_the_box_ship_and_are_those_of_its_cells(matrix: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert BOX is not None
    computed = scores_of(BOX, matrix)
    ways = choose(BOX.cells(matrix))
    with monkeypatch.context() as never:
        never.setattr(
            saved_model, "scores_of", lambda *_, **__: pytest.fail("not in the box; run tools/keep_models.py")
        )
        shipped = scores_for(BOX, matrix, BOX.version, *ways)

    assert shipped.digest == computed.digest
    assert shipped.bounds == computed.bounds


def test_a_table_that_differs_in_anything_has_another_key(table: ScoreTable) -> None:
    scores = table.scores.copy()
    scores[0, 1] += 1e-9
    others = [
        replace(table, scores=scores),
        replace(table, errors=None),
        replace(table, pretrained=None),
        replace(table, sources=("qaa", *table.sources[1:])),
        replace(table, pair_features={"overlap": np.ones(table.scores.shape)}),
    ]

    assert len({key_of(one) for one in [table, *others]}) == 6


def test_a_damaged_file_costs_time_alone(table: ScoreTable, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(saved_model, "shipped", lambda: b"PK" * 4000)

    assert model_for(table).predict("yid").sources == fit(table).predict("yid").sources


def test_the_file_is_the_same_for_the_same_models_and_holds_arrays_alone(table: ScoreTable, tmp_path: Path) -> None:
    learned = {key_of(table): arrays_of(fit(table))}
    for name in ("one.npz", "two.npz"):
        write_kept(learned, tmp_path / name)

    assert (tmp_path / "one.npz").read_bytes() == (tmp_path / "two.npz").read_bytes()
    with ZipFile(tmp_path / "one.npz") as archive:
        assert all(name.endswith(".npy") for name in archive.namelist())
    with np.load(tmp_path / "one.npz", allow_pickle=False) as arrays:
        assert all(array.dtype.kind in "fibU" for array in arrays.values())
