from __future__ import annotations

from collections.abc import Callable

from matrices.cells import SCHEMA, Cell, Fact, cell_id, cell_ids, from_table, to_table


def test_cells_survive_the_table_and_back(make_cell: Callable[..., Cell]) -> None:
    cells = [make_cell(source=None), make_cell(status="failed"), make_cell(source="nan", correct=(1,), total=(1,))]

    table = to_table(cells)

    assert table.schema == SCHEMA
    assert from_table(table) == cells


def test_identity_is_the_same_whatever_the_order_it_is_told_in() -> None:
    assert cell_id({"source": "deu", "seed": 1}) == cell_id({"seed": 1, "source": "deu"})


def test_identity_differs_where_anything_differs() -> None:
    ids = {cell_id({"source": source, "seed": seed}) for source in ("deu", None, "None") for seed in (0, 1)}

    assert len(ids) == 6


IDENTITY: dict[str, Fact] = {
    "matrix": "pos-zero_shot-tiny-01234567",
    "encoder": "ab" * 32,
    "precision": "fp32",
    "kind": "zero_shot",
    "composition": "stack",
    "task": '100% "pos"',
    "source": "deu",
    "target": "yor",
    "data": "cd" * 32,
    "items": 100,
    "split": "test",
    "selection": "last",
    "seed": 1,
    "task_adapter": "ef" * 16,
    "language_adapter": None,
}


def test_identity_is_what_it_was_when_existing_stores_were_filled() -> None:
    assert cell_id(IDENTITY) == "76d3a78f9e3726230e832574ad914507"


def test_identities_of_many_cells_are_those_of_each_alone() -> None:
    differing = ("source", "seed", "task_adapter", "task")
    identify = cell_ids({name: fact for name, fact in IDENTITY.items() if name not in differing}, *differing)

    for facts in (("deu", 1, "ef" * 16, '100% "pos"'), (None, 0, None, "tâche"), ("yor", 1, "%s", "")):
        assert identify(*facts) == cell_id({**IDENTITY, **dict(zip(differing, facts, strict=True))})
