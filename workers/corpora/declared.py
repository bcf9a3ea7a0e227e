"""A user's folder with a ``corpora.yaml`` that says which files are what."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

from matrices.nearest import nearest_hint
from workers.config import ConfigError, read_config
from workers.corpora.declaration import PLACEHOLDER, Common, Declaration, FileBlock, HubBlock
from workers.corpora.folder import TEXT, Folder, Labelled, RawTextFiles
from workers.corpora.formats import FORMATS, Options, columns_of, items_of, read_items
from workers.corpora.hub import HubSplit, read_hub
from workers.corpora.opening import read_text
from workers.corpora.splits import part_of, said_of
from workers.corpora.types import Entry, Item, Split
from workers.rows import CorpusError, Said
from workers.tasks import task_of
from workers.tasks.tagging import UNIVERSAL_TAGS

DECLARATION = "corpora.yaml"
_HUB_COLUMNS = {"id": None}
"""What columns of a data set are called where a declaration says nothing: without an id, items are numbered."""


def read_declaration(root: Path) -> Folder:
    """The corpora that a ``corpora.yaml`` declares; the files are looked for, and read when asked for.

    Raises ``CorpusError`` with the line for an unknown key, a wrong value, a missing file and a corpus given twice.
    """
    path = root / DECLARATION
    try:
        declaration = read_config(path, Declaration)
    except ConfigError as error:
        raise CorpusError(path, error.line, error.problem) from error
    labelled: list[Labelled] = []
    texts: list[RawTextFiles] = []
    for block in declaration.corpora:
        for tag in block.tags():
            if block.text is not None:
                texts.append(_text(root, block, tag, block.text))
            labelled += [_labelled(root, block, tag, split, file) for split, file in block.splits().items()]
            labelled += [_part(root, block, tag, split) for split in block.split or ()]
    for hub in declaration.hub:
        labelled += [_hub(root, hub, tag, split, name) for tag in hub.tags() for split, name in hub.splits().items()]
    _refuse_twice(path, [source.entry for source in labelled] + [text.entry for text in texts])
    return Folder(root, tuple(labelled), tuple(texts))


def _text(root: Path, block: FileBlock, tag: str, file: str) -> RawTextFiles:
    path = _file(root, file, tag)
    entry = _entry(block, tag, TEXT, "text", None, block.name)
    return RawTextFiles(entry, (file.replace(PLACEHOLDER, tag),), partial(read_text, path))


def _labelled(root: Path, block: FileBlock, tag: str, split: Split, file: str) -> Labelled:
    path, format_ = _file(root, file, tag), FORMATS[block.format]
    kind = block.kind or format_.kind
    assert kind is not None
    task = block.task or "pos"
    said = _said(block, kind, task, format_.columns)
    places = {role: at for role, at in block.columns.items() if role in ("token", "tag") and isinstance(at, int)}
    options = Options(
        **places, repair=block.repair, delimiter=block.delimiter, quoted=block.quoted, header=block.header
    )
    read = partial(read_items, path, format_, task_of(kind), said, options)
    entry = _entry(block, tag, task, kind, split, block.name)
    return Labelled(entry, (file.replace(PLACEHOLDER, tag),), read, _stated(said))


def _part(root: Path, block: FileBlock, tag: str, split: Split) -> Labelled:
    """A split of a file that has all items."""
    assert block.whole is not None
    assert block.split is not None
    whole, shares = _labelled(root, block, tag, split, block.whole), block.split
    return replace(whole, read=partial(part_of, whole.read, shares, split), note=said_of(shares))


def _hub(root: Path, block: HubBlock, tag: str, split: Split, name: str) -> Labelled:
    config = None if block.config is None else block.config.replace(PLACEHOLDER, tag)
    folder = None if block.folder is None else root / block.folder.replace(PLACEHOLDER, tag)
    where = HubSplit(block.id, block.revision, folder, config, name)
    said = _said(block, block.kind, block.task, _HUB_COLUMNS)
    entry = _entry(block, tag, block.task, block.kind, split, block.id or block.folder or "")

    def read() -> tuple[Item, ...]:
        return items_of(str(where), task_of(block.kind), said, read_hub(where, said.columns))

    return Labelled(entry, (str(where),), read, _stated(said))


def _said(block: Common, kind: str, task: str, called: Mapping[str, str | None]) -> Said:
    return Said(
        columns=columns_of(task_of(kind), called, block.stated()),
        labels=block.named(),
        allowed=UNIVERSAL_TAGS if task == "pos" and kind == "tagging" else None,
        repair=block.repair,
        unanswerable=block.unanswerable,
    )


def _stated(said: Said) -> frozenset[str]:
    return frozenset() if said.labels is None else frozenset(said.names or ())


def _entry(block: Common, tag: str, task: str, kind: str, split: Split | None, corpus: str) -> Entry:
    return Entry(
        task=task,
        kind=kind,
        language=block.tags()[tag],
        split=split,
        corpus=corpus,
        items=None,
        parallel=block.parallel,
        licence=block.licence,
        non_commercial=block.non_commercial,
    )


def _file(root: Path, file: str, tag: str) -> Path:
    path = root / file.replace(PLACEHOLDER, tag)
    if path.is_file():
        return path
    there = [other.relative_to(root).as_posix() for other in root.rglob("*") if other.is_file()]
    wanted = path.relative_to(root).as_posix()
    hint = nearest_hint(wanted, there)
    raise CorpusError(root / DECLARATION, _line(root, file), f"no file {wanted!r} here{hint}")


def _refuse_twice(path: Path, entries: Iterable[Entry]) -> None:
    seen: set[tuple[str, str, str | None, str]] = set()
    for entry in entries:
        key = (entry.task, entry.language, entry.split, entry.corpus)
        if key in seen:
            problem = (
                f"corpus {entry.corpus!r} has {entry.task} in {entry.language} twice; give one of them another name"
            )
            raise CorpusError(path, _line(path.parent, entry.corpus), problem)
        seen.add(key)


def _line(root: Path, value: str) -> int | None:
    """The last line of the declaration that says a value."""
    lines = (root / DECLARATION).read_text(encoding="utf-8").split("\n")
    return max((number for number, line in enumerate(lines, start=1) if value in line), default=None)
