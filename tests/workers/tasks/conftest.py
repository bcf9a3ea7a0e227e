"""Rows of an imaginary file, for the tests of tasks."""

from collections.abc import Callable
from typing import Any

import pytest

from workers.rows import Row, Said
from workers.tasks import task_of

MakeItem = Callable[..., Any]


@pytest.fixture(scope="session")
def item_of() -> MakeItem:
    """``item_of(kind, said=Said(...), **values)``: the item of a row on line 7 that has these values."""

    def make(kind: str, said: Said | None = None, **values: Any) -> Any:
        said = said or Said()
        task = task_of(kind)
        columns = {**task.columns, "id": None, **said.columns}
        stated = Said(columns, said.labels, said.allowed, said.repair, said.unanswerable)
        return task.item(Row("file", 7, 1, values), stated)

    return make
