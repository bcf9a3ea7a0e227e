"""Data sets in the layout of the Hugging Face hub, by id and commit or from a folder, as rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from workers.rows import CorpusError, Row


@dataclass(frozen=True, slots=True)
class HubSplit:
    """A split of a data set: of ``id`` at a commit, or of a folder in the same layout."""

    id: str | None
    revision: str | None
    folder: Path | None
    config: str | None
    split: str

    def __str__(self) -> str:
        place = f"{self.id}@{self.revision}" if self.id else str(self.folder)
        return "/".join(part for part in (place, self.config, self.split) if part)


def read_hub(where: HubSplit, columns: Mapping[str, Any]) -> Iterator[Row]:
    """A row an item, in the order of the split; its number (from 1) stands for a line. Needs the extra ``hub``.

    Numbers of named classes, in the columns of tags and labels, become their names. No code of a data set is ever run.
    Raises ``CorpusError``.
    """
    data = _load(where)
    labelled = [str(columns[role]) for role in ("label", "tags") if columns.get(role) in data.features]
    named = {name: data.features[name] for name in labelled}
    for number, record in enumerate(data, start=1):
        row = Row(str(where), number, number, record)
        yield replace(row, values={**record, **{name: _named(row, named[name], record[name]) for name in named}})


def _load(where: HubSplit) -> Any:
    try:
        import datasets
    except ModuleNotFoundError as error:
        problem = "data sets of a hub need the package `datasets`; install it with: pip install 'sprachbund[hub]'"
        raise CorpusError(str(where), None, problem) from error
    try:
        data = datasets.load_dataset(
            str(where.folder or where.id), where.config, split=where.split, revision=where.revision
        )
    except (OSError, ValueError, datasets.exceptions.DatasetsError) as error:
        raise CorpusError(str(where), None, f"cannot be loaded: {error}") from error
    if not len(data):
        raise CorpusError(str(where), None, "the split is empty")
    return data


def _named(row: Row, feature: Any, value: Any) -> Any:
    """The name of a stored label, or those of a list; data sets store hidden ones as -1 or leave them out."""
    if isinstance(value, list):
        return [_named(row, getattr(feature, "feature", None), one) for one in value]
    classes = getattr(feature, "num_classes", None)
    if value is None or value == "" or (classes is not None and not 0 <= value < classes):
        raise row.error(f"label {value!r} names no class; a hidden test split cannot be used")
    return value if classes is None else str(feature.int2str(value))
