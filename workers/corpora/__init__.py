"""Corpora: a folder in, labelled items and raw text out. Other rooms use ``open_corpora`` and the types."""

from __future__ import annotations

from pathlib import Path

from workers.corpora.declared import DECLARATION, read_declaration
from workers.corpora.folder import Folder
from workers.corpora.shared import MANIFEST, read_manifest
from workers.corpora.types import CorpusError

__all__ = ["open_corpora"]


def open_corpora(root: Path | str) -> Folder:
    """The corpora of a folder, told by its ``corpora.yaml`` or its ``manifest.csv``; the former where it has both.

    Nothing but that file is read. Raises ``CorpusError``.
    """
    folder = Path(root)
    if (folder / DECLARATION).is_file():
        return read_declaration(folder)
    if (folder / MANIFEST).is_file():
        return read_manifest(folder)
    if not folder.is_dir():
        raise CorpusError(folder, None, "no such folder")
    raise CorpusError(
        folder,
        None,
        f"neither {DECLARATION} nor {MANIFEST} is here; docs/corpora.md shows a {DECLARATION} of five lines",
    )
