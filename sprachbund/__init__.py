"""Which language to transfer from, from Python.

>>> import sprachbund
>>> box = sprachbund.open("box")
>>> box.recommend("pos", "Yoruba").to_frame()  # doctest: +SKIP

``open`` takes the box, a store's folder or bucket, a downloaded file, or the address of a service: all answer alike.
"""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from os import PathLike
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # Whoever asks for one thing need not wait for the libraries of all.
    from sprachbund.opened import Opened
    from workers.driver import Summary

try:
    __version__ = version("sprachbund")
except PackageNotFoundError:
    __version__ = "not installed"

__all__ = ["__version__", "fill", "open"]


def open(place: str | PathLike[str] = "box", *, key: str | None = None) -> Opened:
    """The matrices at a place: ``box``, a folder, ``s3://`` or ``gs://``, a ``.parquet`` file, or ``https://``.

    ``key`` is an API key, where a service asks for one. Raises ``StoreMissingError``, ``StoreTooNewError``,
    ``StoreUnreadableError``, ``NoBoxError``, and ``sprachbund.remote.ServiceError``.
    """
    uri = str(place)
    if uri.startswith(("http://", "https://")):
        from sprachbund.remote import Remote

        return Remote(uri, key=key)
    from matrices.bundled import store_or_box
    from sprachbund.opened import Local

    return Local(store_or_box(None if uri == "box" else uri))


def fill(job: str | PathLike[str], *, address: str | None = None) -> Summary:
    """Run a job file, or go on with it, as ``sprachbund fill`` does; ``address`` is of a Ray cluster.

    Needs the extra ``workers``. Raises ``ConfigError`` where the file is wrong.
    """
    from pathlib import Path

    from workers.driver import fill as run
    from workers.job import load_job

    path = Path(job)
    return run(load_job(path), folder=path.parent, address=address)
