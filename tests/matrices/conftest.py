"""Cells to fill a store or a recommendation with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from matrices.cells import Cell, cell_id

MakeCell = Callable[..., Cell]


@pytest.fixture(scope="session")
def make_cell() -> MakeCell:
    """``make_cell(source="deu", correct=(1, 2), ...)``: a measured cell, its score and id from what is given."""

    def make(**given: Any) -> Cell:
        base = Cell(
            matrix="zero_shot-pos-tiny",
            encoder="tiny@0123456789ab",
            kind="zero_shot",
            composition="stack",
            task="pos",
            metric="accuracy",
            source="deu",
            target="yor",
            selection="last",
            seed=0,
            score=None,
            n_items=0,
            correct=(3, 1, 4),
            total=(4, 4, 4),
            status="ok",
            error=None,
            seconds=0.5,
            device="cpu",
            created_at=datetime(2026, 1, 1, tzinfo=UTC),
            cell_id="",
        )
        cell = replace(base, **given)
        names = ("matrix", "composition", "source", "target", "selection", "seed")
        identity = cell_id({name: getattr(cell, name) for name in names})
        if cell.status == "failed":
            cell = replace(cell, correct=None, total=None, error=cell.error or "RuntimeError: out of memory")
        elif cell.status == "undefined":
            cell = replace(cell, correct=(0, 0), total=(0, 0), n_items=2)
        elif cell.correct is not None and cell.total is not None:
            cell = replace(cell, score=sum(cell.correct) / sum(cell.total), n_items=len(cell.total))
        return replace(cell, cell_id=cell.cell_id or identity)

    return make
