"""Small files that several processes and machines share: in a folder, or in a bucket by its URI.

A bucket is reached through `obstore`, the same Rust library (`object_store`) that `deltalake` reaches the store with:
the same ``AWS_*`` and ``GOOGLE_*`` variables give both their credentials and endpoint. Nothing is locked: a file
appears whole or not at all, and of several that create one name, one succeeds (S3 by ``If-None-Match``, GCS by
generation, a folder by hard link).
"""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Protocol

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError, PermissionDeniedError, UnauthenticatedError
from obstore.store import from_url

from matrices.whole_file import whole_file

BUCKETS = ("s3://", "gs://")
"""What an address in a bucket begins with; anything else is a folder."""

_PATIENCE = timedelta(seconds=20)
"""How long a request is tried again before it is an error: callers that can wait longer know better what to say."""


class BlobStore(Protocol):
    """Files by name, with ``/`` between folders. Every method may raise ``OSError``."""

    def create(self, name: str, data: bytes) -> bool:
        """Make a file; False, and nothing done, where it exists.

        An answer lost on the way may make one's own file look like another's. Whoever must know has something of its
        own in it, and reads it back.
        """
        ...

    def read(self, name: str) -> bytes | None:
        """What a file holds; None where there is none."""
        ...

    def write(self, name: str, data: bytes) -> None:
        """Make a file, or replace it."""
        ...

    def delete(self, name: str) -> None:
        """Remove a file, if it is there."""
        ...

    def names(self, prefix: str = "") -> list[str]:
        """Names of the files in a folder whose names begin with ``prefix``, sorted; not of those in folders below."""
        ...


def open_blobs(place: str | Path) -> BlobStore:
    """The files at a folder, or at a bucket's URI. Nothing is looked at or made yet. Raises ``ValueError``."""
    if in_bucket(place):
        return BucketBlobs(str(place))
    if "://" in str(place):
        raise ValueError(f"{place}: name a folder, or a URI that begins with {' or '.join(BUCKETS)}")
    return FolderBlobs(Path(place))


def in_bucket(place: str | Path) -> bool:
    """Whether an address is of a bucket, not of a folder."""
    return str(place).startswith(BUCKETS)


class FolderBlobs:
    """A folder on a disk, perhaps one that machines share. It is made when needed; the folder it lies in is not.

    Not `obstore`'s ``LocalStore``: that makes the folders above too, tells the system's errors without their numbers,
    and lists a folder with all below it, in no order.
    """

    def __init__(self, root: Path) -> None:
        self._root = root

    def create(self, name: str, data: bytes) -> bool:
        """See ``BlobStore``."""
        try:
            self._write(name, data, replace=False)
        except FileExistsError:
            return False
        return True

    def read(self, name: str) -> bytes | None:
        """See ``BlobStore``."""
        try:
            return (self._root / name).read_bytes()
        except FileNotFoundError:
            return None

    def write(self, name: str, data: bytes) -> None:
        """See ``BlobStore``."""
        self._write(name, data, replace=True)

    def delete(self, name: str) -> None:
        """See ``BlobStore``."""
        (self._root / name).unlink(missing_ok=True)

    def names(self, prefix: str = "") -> list[str]:
        """See ``BlobStore``."""
        folder, _, start = prefix.rpartition("/")
        above = f"{folder}/" if folder else ""
        try:
            with os.scandir(self._root / folder) as entries:
                names = [entry.name for entry in entries if entry.name.startswith(start) and entry.is_file()]
        except FileNotFoundError:
            return []
        return sorted(above + name for name in names if not name.startswith("."))

    def _write(self, name: str, data: bytes, *, replace: bool) -> None:
        # Never the folder above: if a disk is not mounted, an empty folder in its place would hide that.
        self._root.mkdir(exist_ok=True)
        with whole_file(self._root / name, replace=replace) as draft:
            draft.write_bytes(data)


class BucketBlobs:
    """What lies under a URI of a bucket. The bucket must be there."""

    def __init__(self, uri: str) -> None:
        self._uri = uri.rstrip("/")
        self._store = from_url(self._uri, retry_config={"retry_timeout": _PATIENCE})

    def create(self, name: str, data: bytes) -> bool:
        """See ``BlobStore``."""
        try:
            with self._told(name):
                # In one request, whatever the size: parts would be put together without the condition.
                obstore.put(self._store, name, data, mode="create", use_multipart=False)
        except FileExistsError:
            return False
        return True

    def read(self, name: str) -> bytes | None:
        """See ``BlobStore``."""
        try:
            with self._told(name):
                return bytes(obstore.get(self._store, name).bytes())
        except _AbsentError:
            return None

    def write(self, name: str, data: bytes) -> None:
        """See ``BlobStore``."""
        with self._told(name):
            obstore.put(self._store, name, data, use_multipart=False)

    def delete(self, name: str) -> None:
        """See ``BlobStore``."""
        with contextlib.suppress(_AbsentError), self._told(name):
            obstore.delete(self._store, name)

    def names(self, prefix: str = "") -> list[str]:
        """See ``BlobStore``."""
        folder, _, _ = prefix.rpartition("/")
        names: list[str] = []
        with self._told(prefix):
            # Listings come sorted, a thousand names a request, so what does not begin with the prefix ends them.
            for page in obstore.list(self._store, folder or None, offset=prefix or None, chunk_size=1000):
                for entry in page:
                    path = entry["path"]
                    if not path.startswith(prefix):
                        return names
                    if "/" not in path[len(prefix) :]:
                        names.append(path)
        return names

    @contextlib.contextmanager
    def _told(self, name: str) -> Iterator[None]:
        """Errors of the library as the ones a folder would raise, with what to do about them."""
        where = f"{self._uri}/{name}"
        try:
            yield
        except AlreadyExistsError as error:
            raise FileExistsError(errno.EEXIST, "is there already", where) from error
        except (BaseError, FileNotFoundError) as error:
            what = str(error)
            said = what.partition("\n")[0]
            if "NoSuchBucket" in what:
                raise FileNotFoundError(errno.ENOENT, "there is no such bucket; make it first", where) from error
            if isinstance(error, FileNotFoundError):
                raise _AbsentError(errno.ENOENT, said, where) from error
            if isinstance(error, PermissionDeniedError | UnauthenticatedError):
                said = f"refused, see the AWS_* or GOOGLE_* variables: {said}"
                raise PermissionError(errno.EACCES, said, where) from error
            if "builder error" in said:
                said = f"{said}; an http:// endpoint needs AWS_ALLOW_HTTP=true"
            raise OSError(errno.EIO, said, where) from error


class _AbsentError(FileNotFoundError):
    """No such file, in a bucket that is there."""
