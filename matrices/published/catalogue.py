"""A catalogue of published matrices that people can fetch themselves: where each lies, pinned, and how to read it.

Nothing of them ships with the package: most state no licence. A matrix is fetched at one commit of its repository, so
that its content is one; where its SHA-256 was recorded too, it is checked.
"""

from __future__ import annotations

import hashlib
import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path

from matrices.nearest import there_is
from matrices.published.lines import TableColumns
from matrices.whole_file import whole_file

_HOST = "https://raw.githubusercontent.com"
_MOST_BYTES = 64 * 2**20
_SECONDS = 60


@dataclass(frozen=True, slots=True)
class CataloguedMatrix:
    """One published matrix. ``sha256`` is None where it was not recorded, ``licence`` where none is stated.

    ``columns`` and ``percent`` say how its file is to be read.
    """

    name: str
    repository: str
    commit: str
    path: str
    sha256: str | None
    licence: str | None
    citation: str
    task: str
    encoder: str
    metric: str
    columns: TableColumns
    percent: bool

    @property
    def place(self) -> str:
        """Repository, commit and path: the end of its address, and where it lies in a local mirror."""
        return f"{self.repository}/{self.commit}/{self.path}"

    @property
    def address(self) -> str:
        """Where it can be fetched."""
        return f"{_HOST}/{self.place}"


class NotCataloguedError(LookupError):
    """No published matrix of that name in the catalogue; the message names the nearest."""

    def __init__(self, given: str) -> None:
        self.given, self.known = given, tuple(catalogue())
        near = there_is(given, self.known)
        super().__init__(f"there is no {given!r} in the catalogue of published matrices (docs/published.md); {near}")


class FetchError(OSError):
    """A published matrix that could not be fetched, or is not what was catalogued; the message says what to do."""


@cache
def catalogue() -> Mapping[str, CataloguedMatrix]:
    """Every catalogued matrix by name."""
    listed = json.loads((files("matrices") / "data" / "known.json").read_text(encoding="utf-8"))
    return {one["name"]: _known(one) for one in listed}


def catalogued_matrix(name: str) -> CataloguedMatrix:
    """A catalogued matrix. Raises ``NotCataloguedError``."""
    found = catalogue().get(name)
    if found is None:
        raise NotCataloguedError(name)
    return found


def fetch(known: CataloguedMatrix, out: Path, mirror: Path | None = None) -> Path:
    """The file of a catalogued matrix, fetched into the folder ``out``, or from a local ``mirror`` of its address.

    A mirror has the file at ``REPOSITORY/COMMIT/PATH``. Raises ``FetchError``.
    """
    try:
        data = _download(known.address) if mirror is None else (mirror / known.place).read_bytes()
    except (OSError, urllib.error.URLError) as error:
        where = known.address if mirror is None else mirror / known.place
        problem = f"{known.name} could not be fetched from {where} ({error})"
        raise FetchError(
            f"{problem}; fetch it by other means and name the folder of {known.place} with --mirror"
        ) from error
    digest = hashlib.sha256(data).hexdigest()
    if known.sha256 is not None and digest != known.sha256:
        raise FetchError(
            f"{known.name} has SHA-256 {digest}, not {known.sha256} as catalogued: it was changed, or cut off"
        )
    path = out / Path(known.path).name
    with whole_file(path) as draft:
        draft.write_bytes(data)
    return path


def _download(address: str) -> bytes:
    with urllib.request.urlopen(address, timeout=_SECONDS) as answer:
        data: bytes = answer.read(_MOST_BYTES + 1)
    if len(data) > _MOST_BYTES:
        raise OSError(f"it is larger than {_MOST_BYTES} bytes")
    return data


def _known(one: Mapping[str, object]) -> CataloguedMatrix:
    options = dict(one["options"])  # type: ignore[call-overload]
    percent = bool(options.pop("percent", False))
    facts = {name: value for name, value in one.items() if name != "options"}
    return CataloguedMatrix(**facts, columns=TableColumns(**options), percent=percent)  # type: ignore[arg-type]
