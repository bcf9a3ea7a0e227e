"""Trained adapters on disk, each under the key of everything that determined it.

``<root>/<key>/`` holds ``adapter/`` (``adapter_config.json`` and safetensors, as `adapters` reads them), for a task
adapter ``head.safetensors``, and ``manifest.json``: what it was made from and the SHA-256 of every file. A folder is
written beside its place and renamed into it, so a half-written one is never found; one whose files do not match
their digests is moved to ``<root>/set-aside/`` and counts as absent.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog
from safetensors.torch import load_file, save_file

from adapters_zoo.heads import Head
from adapters_zoo.library import VERSIONS, Encoder

FORMAT = 3
"""Raised when training changes so that old adapters must not be taken for new ones: part of every key."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Trained:
    """What training an adapter left to know: its labels (task adapters) and what it cost."""

    key: str
    labels: tuple[str, ...]
    seconds: float
    loss: float


def adapter_key(made_from: Mapping[str, Any]) -> str:
    """The identity of an adapter: SHA-256 (first 128 bits, hex) of everything that determines its weights."""
    canonical = json.dumps({**made_from, "format": FORMAT}, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()[:32]


class Zoo:
    """A folder of trained adapters. Safe to share between processes: only whole adapters are ever visible."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def keys(self) -> set[str]:
        """Every adapter there is. No file is read, so that thousands cost nothing: ``load`` checks what it opens."""
        if not self.root.is_dir():
            return set()
        with os.scandir(self.root) as entries:
            return {entry.name for entry in entries if (self.root / entry.name / "manifest.json").is_file()}

    def has(self, key: str) -> bool:
        """Whether an adapter is there and every file matches its digest; an altered one is set aside."""
        folder = self.root / key
        if not folder.is_dir():
            return False
        problem = _problem(folder)
        if problem is None:
            return True
        self._set_aside(folder, problem)
        return False

    def save(
        self, encoder: Encoder, name: str, trained: Trained, made_from: Mapping[str, Any], head: Head | None = None
    ) -> None:
        """Keep adapter ``name`` of ``encoder`` (and its head) under ``trained.key``. The first writer wins."""
        draft = self.root / "drafts" / f"{trained.key}-{uuid.uuid4().hex[:8]}"
        try:
            encoder.save(name, draft / "adapter")
            if head is not None:
                save_file(
                    {key: value.contiguous() for key, value in head.state_dict().items()}, draft / "head.safetensors"
                )
            _write_manifest(draft, trained, made_from)
            try:
                draft.rename(self.root / trained.key)
            except OSError:
                if not (self.root / trained.key).is_dir():
                    raise
        finally:
            shutil.rmtree(draft, ignore_errors=True)

    def load(self, encoder: Encoder, key: str, name: str) -> Trained:
        """Add adapter ``key`` to ``encoder`` as ``name``.

        Raises ``AdapterFileError`` unless every digest matches; an altered adapter is set aside, and so trained again
        by the next run that needs it.
        """
        folder = self.root / key
        problem = _problem(folder)
        if problem is not None:
            self._set_aside(folder, problem)
            raise AdapterFileError(f"{folder}: {problem}; run the job again to train it anew")
        manifest = _manifest(folder)
        made_for = manifest["made_from"]["encoder"]
        if made_for != encoder.files.digest:
            raise AdapterFileError(f"{folder}: made for encoder {made_for[:8]}, not {encoder.files.digest[:8]}")
        encoder.load(name, folder / "adapter")
        return Trained(key, tuple(manifest["labels"]), manifest["seconds"], manifest["loss"])

    def load_head(self, encoder: Encoder, key: str) -> Head:
        """The head of task adapter ``key``; its files were checked by ``load``."""
        manifest = _manifest(self.root / key)
        head = Head(encoder.hidden_size, manifest["labels"])
        head.load_state_dict(load_file(self.root / key / "head.safetensors"))
        return head.to(encoder.device).eval()

    def _set_aside(self, folder: Path, problem: str) -> None:
        aside = self.root / "set-aside" / f"{folder.name}-{uuid.uuid4().hex[:8]}"
        aside.parent.mkdir(parents=True, exist_ok=True)
        try:
            folder.rename(aside)
        except FileNotFoundError:
            return  # Another process was faster.
        _log.warning("adapter refused; it will be trained again", adapter=folder.name, problem=problem, kept=str(aside))


class AdapterFileError(ValueError):
    """An adapter on disk that must not be loaded."""


def _write_manifest(draft: Path, trained: Trained, made_from: Mapping[str, Any]) -> None:
    files = {str(path.relative_to(draft)): _sha256(path) for path in sorted(draft.rglob("*")) if path.is_file()}
    manifest = {
        "key": trained.key,
        "labels": trained.labels,
        "seconds": round(trained.seconds, 3),
        "loss": trained.loss,
        "made_from": dict(made_from),
        "versions": VERSIONS,
        "files": files,
    }
    path = draft / "manifest.json"
    path.write_text(json.dumps(manifest, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    # The rename must not become durable before the bytes it names.
    for written in draft.rglob("*"):
        if written.is_file():
            descriptor = os.open(written, os.O_RDONLY)
            os.fsync(descriptor)
            os.close(descriptor)


def _problem(folder: Path) -> str | None:
    try:
        manifest = _manifest(folder)
        key, files = manifest["key"], dict[str, str](manifest["files"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        return f"no readable manifest ({type(error).__name__})"
    if key != folder.name:
        return f"its manifest is of adapter {key}"
    for name, digest in files.items():
        path = folder / name
        if not path.is_file():
            return f"{name} is missing"
        if _sha256(path) != digest:
            return f"{name} does not match its digest"
    return None


def _manifest(folder: Path) -> dict[str, Any]:
    manifest: dict[str, Any] = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    return manifest


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
