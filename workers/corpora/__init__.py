"""Corpora: a folder in, labelled items and raw text out. Other rooms use ``open_corpora`` and the types."""

from __future__ import annotations

from pathlib import Path

from workers.corpora.folder import Folder
from workers.corpora.shared import MANIFEST, read_manifest
from workers.corpora.types import CorpusError

__all__ = ["open_corpora"]


def open_corpora(root: Path | str) -> Folder:
    """The corpora of a folder. Raises ``CorpusError``."""
    folder = Path(root)
    if (folder / MANIFEST).is_file():
        return read_manifest(folder)
    raise CorpusError(folder, None, f"no {MANIFEST} here")
