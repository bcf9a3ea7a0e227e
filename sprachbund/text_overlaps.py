"""Texts at hand, as predictions know them: what the vocabularies of the languages of a folder of corpora share."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

if TYPE_CHECKING:
    from matrices.likeness.text import Overlaps

CorporaOption = Annotated[
    Path | None,
    typer.Option(
        metavar="ROOT",
        help="A folder of corpora, as `sprachbund corpora` shows it; its texts tell of languages no database knows.",
    ),
]


def overlaps_in(root: Path | None, among: Collection[str] | None = None) -> Overlaps | None:
    """Of the languages ``among`` those named, or of all, that a folder has raw text of; None without a folder.

    Raises ``CorpusError``, also where it has raw text of none of them.
    """
    if root is None:
        return None
    from matrices.likeness.text import overlaps
    from workers.corpora import open_corpora
    from workers.corpora.types import CorpusError

    folder = open_corpora(root)
    there = {text.entry.language for text in folder.texts}
    languages = sorted(there if among is None else there.intersection(among))
    if not languages:
        of = f"only of {', '.join(sorted(there))}" if there else "docs/corpora.md shows how to list some"
        raise CorpusError(root, None, f"no raw text of any language that is asked about; {of}")
    with Console(stderr=True).status(f"reading texts of {len(languages)} languages"):
        texts = {code: folder.text(code) for code in languages}
        return overlaps({code: text.sentences for code, text in texts.items() if text is not None})
