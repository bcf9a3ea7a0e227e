"""Files of records: JSON lines, Parquet, and SQuAD's nested JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from workers.corpora.opening import read_lines
from workers.rows import CorpusError, Row


def read_json_lines(path: Path, sha256: str | None = None) -> Iterator[Row]:
    """A row a line, empty lines skipped. Raises ``CorpusError`` for a line that is no JSON object."""
    lines = [(number, line) for number, line in enumerate(read_lines(path, sha256), start=1) if line.strip()]
    for position, (number, line) in enumerate(lines, start=1):
        try:
            record = json.loads(line)
        except ValueError as error:
            raise CorpusError(path, number, f"no JSON object ({error}); JSON lines have one a line") from error
        if not isinstance(record, dict):
            raise CorpusError(path, number, f"a JSON object is due, not {line[:40]!r}")
        yield Row(path, number, position, record)


def read_parquet(path: Path, sha256: str | None = None) -> Iterator[Row]:
    """A row a record, its number (from 1) in place of a line. Raises ``CorpusError``."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    from workers.corpora.opening import read_bytes

    try:
        table = pq.read_table(pa.BufferReader(read_bytes(path, sha256)))
    except (OSError, pa.ArrowException) as error:
        raise CorpusError(path, None, f"no Parquet file that can be read ({error}); copy it again") from error
    for position, record in enumerate(table.to_pylist(), start=1):
        yield Row(path, position, position, record)


def read_squad(path: Path, sha256: str | None = None) -> Iterator[Row]:
    """A row a question, in SQuAD's JSON: ``id``, ``question``, ``context``, ``answers``. An article is a document.

    Documents are numbered, as titles may be translated. Raises ``CorpusError`` for a file of another form.
    """
    text = "\n".join(read_lines(path, sha256))
    at, line = 0, 1
    for position, (number, context, question) in enumerate(_questions(path, text), start=1):
        # A JSON reader tells no lines, so each question's is looked for from the one before it on.
        found = text.find(json.dumps(question.get("id"), ensure_ascii=False), at)
        if found >= 0:
            line += text.count("\n", at, found)
            at = found
        yield Row(path, line, position, {**question, "context": context}, passage=f"article #{number}")


def _questions(path: Path, text: str) -> Iterator[tuple[int, str, dict[str, Any]]]:
    try:
        for number, article in enumerate(json.loads(text)["data"], start=1):
            for paragraph in article["paragraphs"]:
                for question in paragraph["qas"]:
                    yield number, paragraph["context"], dict(question)
    except (KeyError, TypeError, ValueError) as error:
        problem = f"not SQuAD's JSON (data > paragraphs > context and qas): {type(error).__name__}: {error}"
        raise CorpusError(path, getattr(error, "lineno", None), problem) from error
