"""What goes wrong with a store, told in one line that names the cause and the next step."""

from __future__ import annotations

import re

import pyarrow as pa
from deltalake.exceptions import DeltaError

from matrices.cells import SCHEMA_VERSION

FAULTS = (DeltaError, OSError, pa.ArrowException, ValueError, RuntimeError)
"""As what `deltalake` tells of files that cannot be read or written, or are not what they should be."""
_MOST_SAID = 400
_BACKTRACE = re.compile(r"\s*(?:stack )?backtrace:|\s+0: ", re.IGNORECASE)


class StoreMissingError(FileNotFoundError):
    """No store where one was named."""

    def __init__(self, uri: str) -> None:
        self.uri = uri
        super().__init__(f"{uri} holds no store; make one with `sprachbund fill JOB.yaml`, whose `store:` names it")

    def __str__(self) -> str:
        return str(self.args[0])


class StoreUnreadableError(OSError):
    """A store of which a file is missing or damaged, or which cannot be reached; the message says what was found."""

    def __init__(self, uri: str, cause: BaseException | str) -> None:
        self.uri = uri
        super().__init__(f"{uri} cannot be read: {plainly(cause)}. Mend what that names, or name another store")


class StoreUnwritableError(OSError):
    """A store that took nothing of what was to be written; the message says why."""

    def __init__(self, uri: str, cause: BaseException | str) -> None:
        self.uri = uri
        super().__init__(
            f"{uri} cannot be written: {plainly(cause)}. Nothing that was there is lost; make room or mend what that "
            "names, and give the same command again: it adds what is missing"
        )


class StoreTooNewError(RuntimeError):
    """A store written under a newer schema than this release reads."""

    def __init__(self, uri: str, written: int) -> None:
        self.uri, self.written, self.supported = uri, written, SCHEMA_VERSION
        super().__init__(
            f"{uri} was written with schema version {written}; this release reads up to {SCHEMA_VERSION}. "
            "Upgrade sprachbund, or name another store"
        )


class SideTableError(OSError):
    """A table beside the cells that cannot be read or written; the cells themselves are not concerned."""

    def __init__(self, place: str, what: str, cause: BaseException) -> None:
        super().__init__(f"{place} cannot be {what}: {plainly(cause)}. Mend what that names, or remove the folder")


def plainly(cause: BaseException | str) -> str:
    """What an error says on one line, without the colours and arrows of a bucket that is out of reach."""
    text = _BACKTRACE.split(str(cause), maxsplit=1)[0]
    said = " ".join(re.sub(r"\x1b\[\d*m|↳", "", text).split()).rstrip(".") or type(cause).__name__
    return said if len(said) <= _MOST_SAID else said[: _MOST_SAID - 1] + "…"
