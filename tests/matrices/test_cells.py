from __future__ import annotations

from collections.abc import Callable

from matrices.cells import SCHEMA, Cell, cell_id, from_table, to_table


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
