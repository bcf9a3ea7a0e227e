"""Lines of a text file, plain or compressed, checked before a reader sees them."""

from __future__ import annotations

import bz2
import gzip
import hashlib
import zlib
from collections.abc import Callable
from pathlib import Path

from workers.rows import CorpusError

_DECOMPRESS: tuple[tuple[bytes, str, Callable[[bytes], bytes]], ...] = (
    (b"\x1f\x8b", "gzip", gzip.decompress),
    (b"BZh", "bzip2", bz2.decompress),
)
_BYTE_ORDER_MARK = "\ufeff"


def read_lines(path: Path, sha256: str | None = None) -> list[str]:
    """The lines of a UTF-8 file without their ends; gzip and bzip2 are told by the first bytes, not by the name.

    A byte order mark is dropped; Unicode normalisation is left as it is. Only line feeds (with or without a carriage
    return) end a line, so that list index + 1 is the line number an editor shows. ``sha256`` (hex) is the digest the
    file as it lies on disk must have. Raises ``CorpusError``.
    """
    lines = _decoded(path, read_bytes(path, sha256)).removeprefix(_BYTE_ORDER_MARK).split("\n")
    if lines[-1] == "":
        lines.pop()
    if not any(line.strip() for line in lines):
        raise CorpusError(path, None, "the file is empty; remove it from the corpora or put its data back")
    return [line.removesuffix("\r") for line in lines]


def read_bytes(path: Path, sha256: str | None = None) -> bytes:
    """The bytes of a file, decompressed; ``sha256`` is of the file as it lies on disk. Raises ``CorpusError``."""
    stored = _stored(path)
    if sha256 is not None:
        _verify(path, stored, sha256)
    return _decompressed(path, stored)


def _stored(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise CorpusError(path, None, "no such file; restore it or remove it from the corpora") from None
    except OSError as error:
        raise CorpusError(path, None, f"cannot be read: {error.strerror}") from error


def _verify(path: Path, stored: bytes, expected: str) -> None:
    found = hashlib.sha256(stored).hexdigest()
    if found != expected.lower():
        raise CorpusError(
            path,
            None,
            f"SHA-256 is {found}, the manifest says {expected}: the file was altered or cut short; copy it again",
        )


def _decompressed(path: Path, stored: bytes) -> bytes:
    for magic, name, decompress in _DECOMPRESS:
        if stored.startswith(magic):
            try:
                return decompress(stored)
            except (OSError, EOFError, ValueError, zlib.error) as error:
                raise CorpusError(path, None, f"damaged {name} data ({error}); copy the file again") from error
    return stored


def _decoded(path: Path, data: bytes) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        problem = f"byte 0x{data[error.start]:02x} is not UTF-8; convert the file, for example with iconv"
        raise CorpusError(path, line, problem) from error


def read_text(path: Path, sha256: str | None = None) -> dict[str, str]:
    """Raw text, a sentence (or verse) a line: line number (from 1, as a string) -> line, blank ones left out.

    Raises ``CorpusError``.
    """
    numbered = enumerate(read_lines(path, sha256), start=1)
    return {str(number): line for number, line in numbered if line.strip()}
