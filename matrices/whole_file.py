"""Files that appear whole or not at all, however many write them and whenever one is stopped."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def whole_file(out: Path, *, replace: bool = True) -> Iterator[Path]:
    """A temporary path beside ``out``, and with its ending, that takes its place when the block ends.

    It vanishes when the block fails. Its name begins with a dot. Not to ``replace`` a file that is there: of several
    that make one, one succeeds, and the others raise ``FileExistsError``. Raises ``OSError``.
    """
    out.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{out.name}.", suffix=out.suffix, dir=out.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(0o644)
        if replace:
            temporary.replace(out)
        else:
            os.link(temporary, out)  # A rename would replace what is there.
    finally:
        temporary.unlink(missing_ok=True)
