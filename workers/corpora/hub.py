"""Data sets in the layout of the Hugging Face hub, by id and commit or from a folder, as the types of this room."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workers.corpora.checking import check_unique, refusal
from workers.corpora.conll import Word, as_spans, as_tags
from workers.corpora.types import CorpusError, Item, LabelledText, TaggedSentence, TaskKind

if TYPE_CHECKING:
    from workers.corpora.declaration import HubColumns

Row = Mapping[str, Any]


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


def read_hub(
    where: HubSplit, kind: TaskKind, columns: HubColumns, allowed: Collection[str] | None, repair: bool
) -> tuple[Item, ...]:
    """The items of a split, in its order; numbers of named classes become their names. Needs the extra ``hub``.

    Line numbers of errors are row numbers (from 1). Checks what the file readers check: ``allowed`` labels or span
    types, IOB2, empty texts and repeated ids. No code of a data set is ever run. Raises ``CorpusError``.
    """
    data = _load(where)
    if kind == "classification":
        return _texts(where, data, columns, allowed)
    _need(where, data, columns.tokens, columns.tags)
    feature = data.features[columns.tags].feature
    sentences = [
        [
            Word(number, str(token), _label(where, number, feature, tag))
            for token, tag in _pairs(where, number, row, columns)
        ]
        for number, row in enumerate(data, start=1)
    ]
    spans = kind == "spans"
    items = as_spans(str(where), sentences, allowed, repair) if spans else as_tags(str(where), sentences, allowed)
    return items if columns.id is None else _renamed(where, items, data, columns.id)


def _renamed(where: HubSplit, items: Sequence[TaggedSentence], data: Any, column: str) -> tuple[TaggedSentence, ...]:
    _need(where, data, column)
    ids = [str(id_) for id_ in data[column]]
    check_unique(str(where), enumerate(ids, start=1))
    return tuple(replace(item, id=id_) for item, id_ in zip(items, ids, strict=True))


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


def _texts(
    where: HubSplit, data: Any, columns: HubColumns, allowed: Collection[str] | None
) -> tuple[LabelledText, ...]:
    _need(where, data, *([columns.id] if columns.id else []), columns.text, columns.label)
    feature = data.features[columns.label]
    items = []
    for number, row in enumerate(data, start=1):
        id_ = str(row[columns.id]) if columns.id else str(number)
        item = LabelledText(id_, str(row[columns.text] or ""), _label(where, number, feature, row[columns.label]))
        if not item.text.strip():
            raise CorpusError(str(where), number, "an empty text")
        if allowed is not None and item.label not in allowed:
            raise CorpusError(str(where), number, refusal("label", item.label, allowed))
        items.append(item)
    check_unique(str(where), enumerate((item.id for item in items), start=1))
    return tuple(items)


def _pairs(where: HubSplit, number: int, row: Row, columns: HubColumns) -> Iterable[tuple[Any, Any]]:
    tokens, tags = row[columns.tokens], row[columns.tags]
    if not tokens or len(tokens) != len(tags):
        raise CorpusError(str(where), number, f"{len(tokens)} tokens and {len(tags)} tags; a row needs one tag a token")
    return zip(tokens, tags, strict=True)


def _need(where: HubSplit, data: Any, *names: str) -> None:
    for name in names:
        if name not in data.column_names:
            raise CorpusError(str(where), None, refusal("column", name, data.column_names))


def _label(where: HubSplit, number: int, feature: Any, value: Any) -> str:
    """The name of a stored label; data sets store hidden ones as -1 or leave them out."""
    named = hasattr(feature, "int2str")
    if value is None or value == "" or (named and not 0 <= value < feature.num_classes):
        raise CorpusError(str(where), number, f"label {value!r} names no class; a hidden test split cannot be used")
    return str(feature.int2str(value) if named else value)
