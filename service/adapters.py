"""Trained adapters as one zip file each, with a card; read from a zoo's folder, and never loaded."""

from __future__ import annotations

import hashlib
import json
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_MANIFEST = "manifest.json"
_KEY = re.compile(r"[0-9a-f]{32}")
_MOMENT = (1980, 1, 1, 0, 0, 0)
"""Of every entry: the same bytes for the same adapter."""


class UnknownAdapterError(LookupError):
    """No adapter of that key, or none that may be given away."""

    def __init__(self, key: str, why: str = "keys stand in the manifests of a zoo, beside each adapter") -> None:
        super().__init__(f"there is no adapter {key!r} here; {why}")


def adapter_folder(zoo: str | None, key: str) -> Path:
    """The folder of an adapter whose every file is as its manifest says. Raises ``UnknownAdapterError``."""
    if zoo is None:
        raise UnknownAdapterError(key, "this service has no zoo; SPRACHBUND_ZOO names one")
    folder = Path(zoo) / key
    if not _KEY.fullmatch(key) or not (folder / _MANIFEST).is_file():
        raise UnknownAdapterError(key)
    for name, digest in _manifest(folder).get("files", {}).items():
        path = folder / name
        if not path.is_file() or hashlib.sha256(path.read_bytes()).hexdigest() != digest:
            raise UnknownAdapterError(key, f"its file {name} is not as its manifest says, and is not given away")
    return folder


def write_zip(folder: Path, out: Path) -> None:
    """An adapter's files, and its card as ``README.md``."""
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            archive.writestr(_entry(str(path.relative_to(folder))), path.read_bytes())
        archive.writestr(_entry("README.md"), model_card(folder))


def model_card(folder: Path) -> str:
    """What an adapter is, what it was made from, and how it is opened, as Markdown."""
    manifest = _manifest(folder)
    made_from = manifest.get("made_from", {})
    lines = [f"- {name}: `{_short(value)}`" for name, value in sorted(made_from.items())]
    labels = ", ".join(manifest.get("labels") or ()) or "none: it was trained by masked-language modelling"
    opened = (
        "`encoder.safetensors` are the weights of the encoder that changed, by their names in `transformers`."
        if (folder / "encoder.safetensors").is_file()
        else 'Open it with the `adapters` library: `model.load_adapter("adapter")`, from this folder.'
    )
    versions = ", ".join(f"{name} {version}" for name, version in sorted(manifest.get("versions", {}).items()))
    return "\n".join(
        [
            f"# Adapter {manifest.get('key', folder.name)}",
            "",
            opened,
            "",
            f"Labels: {labels}.",
            f"Training took {manifest.get('seconds')} s; the last loss was {manifest.get('loss')}.",
            f"Made with {versions or 'versions that are not recorded'}.",
            "",
            "## Made from",
            "",
            *(lines or ["- not recorded"]),
            "",
            "The licences of the corpora it was trained on hold for what is made from them; the store's matrices name",
            "corpora and licences where they are known.",
            "",
        ]
    )


def _manifest(folder: Path) -> Mapping[str, Any]:
    try:
        found = json.loads((folder / _MANIFEST).read_text(encoding="utf-8"))
    except ValueError as error:
        raise UnknownAdapterError(folder.name, "its manifest cannot be read") from error
    if not isinstance(found, dict):
        raise UnknownAdapterError(folder.name, "its manifest cannot be read")
    return found


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, _MOMENT)
    entry.compress_type = zipfile.ZIP_STORED  # Weights hardly compress.
    entry.external_attr = 0o644 << 16
    return entry


def _short(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, sort_keys=True)
    return text if len(text) <= 200 else text[:199] + "…"
