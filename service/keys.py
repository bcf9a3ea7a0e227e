"""API keys: made once and shown once, kept as their hashes in one file that a running service reads again."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from matrices.whole_file import whole_file
from service.settings import Scope

PREFIX = "spb_"
_RANDOM_BYTES = 32
"""So many that a hash without salt or work is enough: nobody guesses 256 bits."""


class KeysFileError(ValueError):
    """A file that is no file of keys."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(f"{path} is no file of API keys: {why}; make one with `sprachbund keys make`")


class KeyTakenError(ValueError):
    """A name that another key has."""

    def __init__(self, path: Path, name: str) -> None:
        super().__init__(f"{path} has a key {name!r} already; revoke that one, or give another name")


class UnknownKeyError(LookupError):
    """No key of that name; the message names those there are."""

    def __init__(self, name: str, known: Sequence[str]) -> None:
        there = f"there is: {', '.join(sorted(known))}" if known else "there is none"
        super().__init__(f"there is no key {name!r}; {there}")


@dataclass(frozen=True, kw_only=True)
class Key:
    """A key by its name and SHA-256; what it is for, and since when."""

    name: str
    sha256: str
    scopes: tuple[Scope, ...]
    created: str


_FILE = TypeAdapter(dict[str, list[Key]])


def read_keys(path: Path) -> list[Key]:
    """The keys of a file, none where there is no file. Raises ``KeysFileError``."""
    try:
        return _FILE.validate_json(path.read_bytes())["keys"]
    except FileNotFoundError:
        return []
    except (ValidationError, KeyError) as error:
        raise KeysFileError(path, str(error).splitlines()[0]) from error


def make_key(path: Path, name: str, scopes: Sequence[Scope]) -> str:
    """A new key, kept under a name; the secret itself, which nothing keeps. Raises ``KeyTakenError``."""
    keys = read_keys(path)
    if name in {key.name for key in keys}:
        raise KeyTakenError(path, name)
    secret = PREFIX + secrets.token_urlsafe(_RANDOM_BYTES)
    created = datetime.now(UTC).isoformat(timespec="seconds")
    _write(path, [*keys, Key(name=name, sha256=_hash(secret), scopes=tuple(scopes), created=created)])
    return secret


def revoke_key(path: Path, name: str) -> None:
    """Take a key out of the file: a service that runs refuses it from its next request on. ``UnknownKeyError``."""
    keys = read_keys(path)
    if name not in {key.name for key in keys}:
        raise UnknownKeyError(name, [key.name for key in keys])
    _write(path, [key for key in keys if key.name != name])


class Keyring:
    """The keys of a file as it is now: it is read again whenever it changes. Used from one thread."""

    def __init__(self, path: Path) -> None:
        self._path, self._seen = path, (-1, -1)
        self._by_hash: Mapping[str, Key] = {}

    def find(self, secret: str) -> Key | None:
        """The key of a secret, None where it is none or was revoked. Raises ``KeysFileError`` and ``OSError``."""
        try:
            found = self._path.stat()
            seen = (found.st_mtime_ns, found.st_ino)
        except FileNotFoundError:
            seen = (0, 0)
        if seen != self._seen:
            self._by_hash = {key.sha256: key for key in read_keys(self._path)}
            self._seen = seen
        return self._by_hash.get(_hash(secret))


def _write(path: Path, keys: Sequence[Key]) -> None:
    with whole_file(path) as temporary:
        temporary.write_text(json.dumps({"keys": [asdict(key) for key in keys]}, indent=2) + "\n", encoding="utf-8")
    path.chmod(0o600)


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
