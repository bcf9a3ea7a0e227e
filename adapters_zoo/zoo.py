"""What was trained, each under the key of everything that determined it, in a folder or in a bucket.

An adapter is ``adapter/`` (``adapter_config.json`` and safetensors, as `adapters` reads them) and, for a task adapter,
``head.safetensors``. A shifted encoder is ``encoder.safetensors``: those of its weights that changed, fp32, by their
names in `transformers`. Dev scores are ``scores.json``, a number for each adapter that was scored. Each has
``manifest.json``: what it was made from and the SHA-256 of every file.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from safetensors.torch import load_file, save_file
from torch import Tensor

from adapters_zoo.adapter_store import AdapterFileError, open_adapter_store, read_manifest, write_manifest
from adapters_zoo.heads import Head

if TYPE_CHECKING:  # Whoever plans asks what is there, and need not wait for the libraries that open encoders.
    from adapters_zoo.backbone import Encoder

__all__ = ["FORMAT", "AdapterFileError", "Trained", "Zoo", "adapter_key"]

_WEIGHTS = "encoder.safetensors"
_SCORES = "scores.json"
FORMAT = 6
"""Raised when training changes so that old adapters must not be taken for new ones: part of every key."""


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
    """Trained adapters at a folder or a bucket's URI. Safe to share: only whole adapters are ever visible.

    Where the place cannot be reached every method raises ``OSError``.
    """

    def __init__(self, place: str | Path, *, cache: Path | None = None) -> None:
        """``cache`` is where copies from a bucket are kept, else the user's cache folder. Raises ``ValueError``."""
        self.place = str(place)
        self._store = open_adapter_store(place, cache)

    def keys(self) -> set[str]:
        """Every adapter there is. No file is read, so that thousands cost nothing: ``load`` checks what it opens."""
        return self._store.keys()

    def has(self, key: str) -> bool:
        """Whether an adapter is there and every file matches its digest; an altered one is set aside."""
        return self._store.holds(key)

    def tidy(self) -> None:
        """Remove what killed processes left half written, an hour after they did."""
        self._store.tidy()

    def save(
        self, encoder: Encoder, name: str, trained: Trained, made_from: Mapping[str, Any], head: Head | None = None
    ) -> None:
        """Keep adapter ``name`` of ``encoder`` (and its head) under ``trained.key``. The first writer wins."""
        with self._draft(encoder, trained, made_from) as draft:
            encoder.save(name, draft / "adapter")
            if head is not None:
                weights = {key: value.contiguous() for key, value in head.state_dict().items()}
                save_file(weights, draft / "head.safetensors")

    def save_weights(
        self, encoder: Encoder, weights: Mapping[str, Tensor], trained: Trained, made_from: Mapping[str, Any]
    ) -> None:
        """Keep what an encoder's own weights became, by name, under ``trained.key``. The first writer wins."""
        with self._draft(encoder, trained, made_from) as draft:
            save_file(dict(weights), draft / _WEIGHTS)

    def save_scores(
        self, encoder: Encoder, scores: Sequence[float | None], trained: Trained, made_from: Mapping[str, Any]
    ) -> None:
        """Keep what adapters scored on dev splits, None where that is not defined. The first writer wins."""
        with self._draft(encoder, trained, made_from) as draft:
            (draft / _SCORES).write_text(json.dumps([*scores]), encoding="utf-8")

    def load_scores(self, encoder: Encoder, key: str) -> list[float | None]:
        """What ``save_scores`` kept. Raises as ``load`` does."""
        scores: list[float | None] = json.loads((self._open(encoder, key) / _SCORES).read_text(encoding="utf-8"))
        return scores

    def made_from(self, key: str) -> dict[str, Any]:
        """What determined an adapter, or scores. Raises ``AdapterFileError``."""
        stated: dict[str, Any] = read_manifest(self._store.open(key))["made_from"]
        return stated

    def load(self, encoder: Encoder, key: str, name: str) -> Trained:
        """Add adapter ``key`` to ``encoder`` as ``name``; of a fusion first its members, under their keys.

        Raises ``AdapterFileError`` unless every digest matches; an altered adapter is set aside, and so trained again
        by the next run that needs it.
        """
        folder = self._open(encoder, key)
        manifest = read_manifest(folder)
        for member in manifest["made_from"].get("fused", ()):
            if member not in encoder.names:
                self.load(encoder, member, member)
        encoder.load(name, folder / "adapter")
        return Trained(key, tuple(manifest["labels"]), manifest["seconds"], manifest["loss"])

    def load_weights(self, encoder: Encoder, key: str) -> dict[str, Tensor]:
        """What ``save_weights`` kept, for ``Encoder.shifted``. Raises as ``load`` does."""
        return load_file(self._open(encoder, key) / _WEIGHTS)

    def load_head(self, encoder: Encoder, key: str) -> Head:
        """The head of task adapter ``key``. Raises as ``load`` does."""
        folder = self._store.open(key)
        manifest = read_manifest(folder)
        pooling = manifest["made_from"].get("recipe", {}).get("pool", "mean")
        head = Head(encoder.hidden_size, manifest["labels"], pooling)
        head.load_state_dict(load_file(folder / "head.safetensors"))
        return head.to(encoder.device).eval()

    @contextmanager
    def _draft(self, encoder: Encoder, trained: Trained, made_from: Mapping[str, Any]) -> Iterator[Path]:
        """A folder to write files in, which are in the zoo at the end of the block."""
        with self._store.drafting() as draft:
            yield draft
            manifest = {
                "key": trained.key,
                "labels": trained.labels,
                "seconds": round(trained.seconds, 3),
                "loss": trained.loss,
                "made_from": dict(made_from),
                "versions": encoder.versions,
            }
            write_manifest(draft, manifest)
            self._store.keep(trained.key, draft)

    def _open(self, encoder: Encoder, key: str) -> Path:
        """A folder with the files of ``key``, checked, and made for ``encoder``."""
        folder = self._store.open(key)
        made_for = read_manifest(folder)["made_from"]["encoder"]
        if made_for != encoder.files.digest:
            raise AdapterFileError(f"{folder}: made for encoder {made_for[:8]}, not {encoder.files.digest[:8]}")
        return folder
