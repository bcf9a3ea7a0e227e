"""What a service cannot do for reasons of its own."""

from __future__ import annotations

from pathlib import Path

from matrices.store_errors import plainly


class NoRoomError(OSError):
    """A file that was asked for and cannot be written."""

    def __init__(self, folder: Path, cause: OSError) -> None:
        super().__init__(f"{folder} takes no more files: {plainly(cause)}. Make room there; answers go on meanwhile")
