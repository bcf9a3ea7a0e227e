"""Where whole adapters lie, each a folder of files with a manifest: on a disk, or in a bucket and copied from there.

On a disk an adapter is the folder ``<key>/``, written beside its place and renamed into it. In a bucket it is one
object, ``<key>.zip``, of the same files, put there in one request and only where there is none. Either way nobody finds
half an adapter, and the first of several writers wins. One whose files do not match their digests is moved to
``set-aside/`` and counts as absent.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import shutil
import tempfile
import uuid
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import structlog

from adapters_zoo.blobs import BucketBlobs, in_bucket

MANIFEST = "manifest.json"
_ENDING = ".zip"
_ABANDONED = 3600.0
"""Seconds without a change after which the writer of a draft is gone."""
_log = structlog.get_logger(__name__)


class AdapterFileError(ValueError):
    """An adapter that must not be loaded."""


class AdapterStore(Protocol):
    """Adapters by key. Every method may raise ``OSError``."""

    def keys(self) -> set[str]:
        """Every adapter there is. None is read, so that thousands cost little."""
        ...

    def holds(self, key: str) -> bool:
        """Whether an adapter is there and whole; an altered one is set aside."""
        ...

    def open(self, key: str) -> Path:
        """A folder on this machine with an adapter's files, every digest checked.

        Raises ``AdapterFileError`` where the adapter is absent, or altered, which sets it aside.
        """
        ...

    def drafting(self) -> contextlib.AbstractContextManager[Path]:
        """A folder to write an adapter in; what is still there at the end of the block is removed."""
        ...

    def keep(self, key: str, draft: Path) -> None:
        """Put what was drafted in its place, unless another was faster."""
        ...

    def tidy(self) -> None:
        """Remove the drafts of writers that are gone."""
        ...


def open_adapter_store(place: str | Path, cache: Path | None = None) -> AdapterStore:
    """The adapters at a folder or a bucket's URI; ``cache`` is the folder that copies from a bucket are kept in.

    By default that is ``sprachbund`` in the user's cache folder (``XDG_CACHE_HOME``, else ``~/.cache``).
    """
    if not in_bucket(place):
        return FolderAdapters(Path(place))
    if cache is None:
        cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "sprachbund"
    uri = str(place).rstrip("/")
    return BucketAdapters(BucketBlobs(uri), uri, cache / hashlib.sha256(uri.encode()).hexdigest()[:16])


class FolderAdapters:
    """A folder with a folder for each adapter. Several processes, and machines that mount it, may use it at once."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def keys(self) -> set[str]:
        """See ``AdapterStore``."""
        if not self._root.is_dir():
            return set()
        with os.scandir(self._root) as entries:
            return {entry.name for entry in entries if (self._root / entry.name / MANIFEST).is_file()}

    def holds(self, key: str) -> bool:
        """See ``AdapterStore``."""
        with contextlib.suppress(AdapterFileError):
            self.open(key)
            return True
        return False

    def open(self, key: str) -> Path:
        """See ``AdapterStore``."""
        folder = self._root / key
        if not folder.is_dir():
            os.stat(self._root.parent)  # A zoo out of reach is no proof that an adapter is absent.
            raise _absent(key, self._root)
        problem = _problem(folder, key)
        if problem is not None:
            self._set_aside(folder, problem)
            raise _altered(folder, problem)
        return folder

    def drafting(self) -> contextlib.AbstractContextManager[Path]:
        """See ``AdapterStore``."""
        self._root.mkdir(exist_ok=True)  # Not its parents: they would hide that a disk is not mounted.
        return _drafting(self._root)

    def keep(self, key: str, draft: Path) -> None:
        """See ``AdapterStore``."""
        _sync(draft)  # The rename must not become durable before the bytes it names.
        _place(draft, self._root / key)

    def tidy(self) -> None:
        """See ``AdapterStore``."""
        _tidy(self._root / "drafts")

    def _set_aside(self, folder: Path, problem: str) -> None:
        aside = self._root / "set-aside" / _unique(folder.name)
        aside.parent.mkdir(parents=True, exist_ok=True)
        try:
            folder.rename(aside)
        except FileNotFoundError:
            return  # Another process was faster.
        _tell_set_aside(folder.name, problem, str(aside))


class BucketAdapters:
    """An object for each adapter, and a folder on this machine with copies of those that were opened.

    A copy is as good as the object: a key stands for everything that determined the adapter. So an adapter is fetched
    once a machine, and the folder of copies may be deleted at any time.
    """

    def __init__(self, bucket: BucketBlobs, uri: str, copies: Path) -> None:
        self._bucket, self._uri, self._copies = bucket, uri, copies

    def keys(self) -> set[str]:
        """See ``AdapterStore``."""
        return {name.removesuffix(_ENDING) for name in self._bucket.names() if name.endswith(_ENDING)}

    def holds(self, key: str) -> bool:
        """See ``AdapterStore``."""
        if key + _ENDING not in self._bucket.names(key):
            return False  # Also where a copy is left: others could not open it.
        with contextlib.suppress(AdapterFileError):
            self.open(key)
            return True
        return False

    def open(self, key: str) -> Path:
        """See ``AdapterStore``."""
        copy = self._copies / key
        if copy.is_dir():
            if _problem(copy, key) is None:
                return copy
            self._discard(copy)
        content = self._bucket.read(key + _ENDING)
        if content is None:
            raise _absent(key, self._uri)
        with self.drafting() as draft:
            problem = _unpack(content, draft) or _problem(draft, key)
            if problem is not None:
                self._set_aside(key, content, problem)
                raise _altered(f"{self._uri}/{key}{_ENDING}", problem)
            _place(draft, copy)
        return copy

    def drafting(self) -> contextlib.AbstractContextManager[Path]:
        """See ``AdapterStore``."""
        return _drafting(self._copies)

    def keep(self, key: str, draft: Path) -> None:
        """See ``AdapterStore``."""
        if self._bucket.create(key + _ENDING, _pack(draft)):
            if (copy := self._copies / key).is_dir():
                self._discard(copy)
            _place(draft, copy)

    def tidy(self) -> None:
        """See ``AdapterStore``."""
        _tidy(self._copies / "drafts")

    def _discard(self, copy: Path) -> None:
        with contextlib.suppress(FileNotFoundError), self.drafting() as bin_:
            copy.rename(bin_)

    def _set_aside(self, key: str, content: bytes, problem: str) -> None:
        aside = f"set-aside/{_unique(key)}{_ENDING}"
        if self._bucket.read(key + _ENDING) != content:
            return  # Another process was faster.
        self._bucket.create(aside, content)
        self._bucket.delete(key + _ENDING)
        _tell_set_aside(key, problem, f"{self._uri}/{aside}")


def read_manifest(folder: Path) -> dict[str, Any]:
    """What an adapter's folder says of it."""
    manifest: dict[str, Any] = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    return manifest


def write_manifest(folder: Path, manifest: dict[str, Any]) -> None:
    """Say of an adapter's files what they are, and the SHA-256 of each as ``files``."""
    files = {str(path.relative_to(folder)): _sha256(path) for path in sorted(folder.rglob("*")) if path.is_file()}
    text = json.dumps({**manifest, "files": files}, indent=1, ensure_ascii=False)
    (folder / MANIFEST).write_text(f"{text}\n", encoding="utf-8")


def _problem(folder: Path, key: str) -> str | None:
    try:
        manifest = read_manifest(folder)
        named, files = manifest["key"], dict[str, str](manifest["files"])
    except (FileNotFoundError, NotADirectoryError, ValueError, KeyError, TypeError) as error:
        return f"no readable manifest ({type(error).__name__})"
    if named != key:
        return f"its manifest is of adapter {named}"
    for name, digest in files.items():
        path = folder / name
        if not path.is_file():
            return f"{name} is missing"
        if _sha256(path) != digest:
            return f"{name} does not match its digest"
    return None


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _pack(folder: Path) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:  # Weights hardly compress.
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                archive.write(path, path.relative_to(folder))
    return packed.getvalue()


def _unpack(content: bytes, folder: Path) -> str | None:
    """Writes packed files into a folder; what is wrong with them, or None. Paths that lead out of it are cut short."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            archive.extractall(folder)
    except (zipfile.BadZipFile, zlib.error, RuntimeError, ValueError, EOFError) as error:
        return f"not a readable archive ({error})"
    return None


@contextlib.contextmanager
def _drafting(root: Path) -> Iterator[Path]:
    draft = root / "drafts" / uuid.uuid4().hex
    draft.mkdir(parents=True)
    try:
        yield draft
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _tidy(drafts: Path) -> None:
    """Removes drafts that nobody wrote to for an hour, by the clock of the disk they lie on; writing takes seconds."""
    if not drafts.is_dir():
        return
    with tempfile.NamedTemporaryFile(dir=drafts) as probe:
        now = os.stat(probe.name).st_mtime
    for draft in drafts.iterdir():
        with contextlib.suppress(FileNotFoundError):  # Its writer, or another tidier, was faster.
            last = max(path.stat().st_mtime for path in [draft, *draft.rglob("*")])
            if draft.is_dir() and now - last > _ABANDONED:
                shutil.rmtree(draft, ignore_errors=True)
                _log.info("removed an adapter that was left half written", draft=draft.name)


def _place(draft: Path, folder: Path) -> None:
    """Renames a draft, unless another process was faster."""
    try:
        draft.rename(folder)
    except OSError:
        if not folder.is_dir():
            raise


def _sync(folder: Path) -> None:
    for path in folder.rglob("*"):
        if path.is_file():
            descriptor = os.open(path, os.O_RDONLY)
            os.fsync(descriptor)
            os.close(descriptor)


def _unique(key: str) -> str:
    return f"{key}-{uuid.uuid4().hex[:8]}"


def _absent(key: str, place: str | Path) -> AdapterFileError:
    return AdapterFileError(f"there is no adapter {key} in {place}; run the job again to train it")


def _altered(what: str | Path, problem: str) -> AdapterFileError:
    return AdapterFileError(f"{what}: {problem}; run the job again to train it anew")


def _tell_set_aside(key: str, problem: str, kept: str) -> None:
    _log.warning("adapter refused; it will be trained again", adapter=key, problem=problem, kept=kept)
