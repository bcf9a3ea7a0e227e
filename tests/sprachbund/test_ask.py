from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from typer.testing import CliRunner, Result

from matrices.bundled import NoBoxError, boxed
from matrices.cells import BASELINE, Cell
from matrices.export import export
from matrices.reading import UnknownMatrixError
from matrices.recommend import UnknownTaskError
from matrices.store import Store, StoreMissingError
from service import Settings, create_app
from sprachbund.cli import app

MATRIX = "zero_shot-pos-tiny"


@pytest.fixture
def store(tmp_path: Path, make_cell: Callable[..., Cell]) -> Store:
    store = Store.open(tmp_path / "store", create=True)
    cells = [
        make_cell(
            matrix=MATRIX,
            source=source,
            seed=seed,
            correct=tuple(int(item < right + seed) for item in range(60)),
            total=(1,) * 60,
        )
        for source, right in (("deu", 45), ("eng", 20))
        for seed in (0, 1)
    ]
    store.append(cells)
    return store


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def test_matrices_are_listed(store: Store) -> None:
    result = run("matrices", "--store", store.uri)

    assert result.exit_code == 0
    assert MATRIX in result.stdout
    assert "version 1" in result.stdout


def test_matrices_for_machines_are_one_object(store: Store) -> None:
    answer = json.loads(run("matrices", "--store", store.uri, "--json").stdout)

    assert answer == {"matrices": [asdict(store.matrices()[0])]}
    assert list(answer["matrices"][0]) == [
        *("matrix", "kind", "task", "encoder", "version", "cells", "sources", "targets"),
    ]


def test_a_recommendation_shows_sources_and_what_it_rests_on(store: Store) -> None:
    result = run("recommend", "--store", store.uri, "--task", "pos", "--target", "Yoruba")

    assert "German (deu)" in result.stdout
    assert "English (eng)" in result.stdout
    assert "Measured over 2 seeds, 60 items of Yoruba" in result.stdout


def test_a_recommendation_for_machines_is_what_the_service_answers(store: Store, tmp_path: Path) -> None:
    printed = run("recommend", "--store", store.uri, "--task", "pos", "--target", "yor", "-k", "1", "--json").stdout

    with TestClient(create_app(Settings(store=store.uri, download_folder=tmp_path))) as client:
        answered = client.get("/v1/recommendations", params={"task": "pos", "target": "yor", "k": 1}).text
    assert printed == answered + "\n"


@pytest.mark.parametrize("ending", ["parquet", "csv", "arrow"])
def test_a_matrix_is_exported_by_the_ending_of_the_file(store: Store, tmp_path: Path, ending: str) -> None:
    out = tmp_path / f"out.{ending}"

    result = run("export", "--store", store.uri, MATRIX, "--out", str(out))

    assert result.exit_code == 0
    assert out.name in result.stdout
    assert out.read_bytes() == export(store, MATRIX, tmp_path / f"library.{ending}").read_bytes()


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["recommend", "--task", "parsing", "--target", "yor"], UnknownTaskError),
        (["export", "nope", "--out", "x.parquet"], UnknownMatrixError),
    ],
)
def test_what_is_not_there_is_an_error_for_the_command_line_to_print(
    store: Store, arguments: list[str], error: type[Exception]
) -> None:
    assert isinstance(run(*arguments, "--store", store.uri).exception, error)


def test_a_folder_without_a_store_is_an_error(tmp_path: Path) -> None:
    assert isinstance(run("matrices", "--store", str(tmp_path)).exception, StoreMissingError)


def test_without_a_store_the_box_answers() -> None:
    result = run("matrices", "--json")

    box = boxed()
    if box is None:
        assert isinstance(result.exception, NoBoxError)
    else:
        assert json.loads(result.stdout) == {"matrices": [asdict(info) for info in box.matrices()]}


def test_how_many_labelled_items_beat_the_best_source_is_shown_where_it_was_measured(
    store: Store, make_cell: Callable[..., Cell]
) -> None:
    asked = ("recommend", "--store", store.uri, "--task", "pos", "--target", "yor", "--shots")
    nothing = run(*asked)
    assert nothing.exit_code == 1
    assert "nothing that learned from labelled items of Yoruba" in str(nothing.exception or nothing.output)
    alone = {"matrix": MATRIX, "source": None, "composition": BASELINE, "total": (1,) * 60}
    store.append(
        [
            make_cell(
                **alone, seed=seed, shots=shots, correct=(1,) * right + (0,) * (60 - right), cell_id=f"{shots}-{seed}"
            )
            for shots, right in ((5, 20), (50, 58))
            for seed in (0, 1)
        ]
    )
    shown = run(*asked)
    assert shown.exit_code == 0
    assert "deu without any: 0.758" in shown.stdout
    assert "them alone" in shown.stdout
    answer = json.loads(run(*asked, "--json").stdout)
    assert answer["shots"]["alone"]["enough"] == 50

    larger = f"{MATRIX}-larger"  # It comes first where nobody asks what was measured in the other alone.
    places = [
        *((source, "yor") for source in ("deu", "eng", "hau", "swa", "wol")),
        *(("deu", to) for to in ("ibo", "zul", "kin", "lug")),
    ]
    store.append(
        [make_cell(matrix=larger, source=one, target=other, correct=(1,), total=(1,)) for one, other in places]
    )
    assert json.loads(run(*asked[:-1], "--json").stdout)["matrix"] == larger
    assert json.loads(run(*asked, "--json").stdout)["matrix"] == MATRIX
    with TestClient(create_app(Settings(store=store.uri))) as client:
        for shots, matrix in ((False, larger), (True, MATRIX)):
            params = {"task": "pos", "target": "yor", "shots": shots}
            assert client.get("/v1/recommendations", params=params).json()["matrix"] == matrix
