"""Opaque cursors: a page says where the next begins, at the same version, for the same question."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from dataclasses import dataclass

from service.problems import UnreadableCursorError


@dataclass(frozen=True, slots=True)
class Cursor:
    """The page that begins at cell ``offset`` of ``version``."""

    version: int
    offset: int


def write(cursor: Cursor, question: tuple[str | None, ...]) -> str:
    """The cursor as text, of use for this question alone."""
    text = json.dumps([cursor.version, cursor.offset, _digest(question)])
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def read(text: str, question: tuple[str | None, ...]) -> Cursor:
    """The cursor that ``write`` wrote. Raises ``UnreadableCursorError`` for any other text or question."""
    try:
        version, offset, digest = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (binascii.Error, ValueError, TypeError) as error:
        raise UnreadableCursorError from error
    if digest != _digest(question) or not _is_count(version) or not _is_count(offset):
        raise UnreadableCursorError
    return Cursor(version, offset)


def _is_count(value: object) -> bool:
    return type(value) is int and value >= 0


def _digest(question: tuple[str | None, ...]) -> str:
    return hashlib.sha256(json.dumps(question).encode()).hexdigest()[:8]
