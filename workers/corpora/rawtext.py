"""Raw text: a sentence (or verse) a line."""

from __future__ import annotations

from pathlib import Path

from workers.corpora.opening import read_lines


def read_text(path: Path, sha256: str | None = None) -> dict[str, str]:
    """Line number (from 1, as a string) -> line, for the lines that have anything on them. Raises ``CorpusError``."""
    numbered = enumerate(read_lines(path, sha256), start=1)
    return {str(number): line for number, line in numbered if line.strip()}
