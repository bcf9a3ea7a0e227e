"""Where an encoder comes from: a local folder or a hub repository at a pinned revision, checked before it is opened.

Only JSON and safetensors are ever read. The architecture must stand on the allow-list before any model code sees the
configuration, because a crafted ``config.json`` can otherwise choose what code runs.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import re
import struct
from dataclasses import dataclass, replace
from math import prod
from pathlib import Path
from typing import Any

from adapters_zoo.architectures import ARCHITECTURES, Architecture
from adapters_zoo.tokens import PIECES, ROLES, TOKENIZER, TokenizerError, stated_roles, usual_roles

CARD = "sprachbund.json"
"""What `sprachbund pretrain` writes beside an encoder: how it was made, and of which languages."""
_WEIGHTS, _INDEX = "model.safetensors", "model.safetensors.index.json"
_SHARDS = "*.safetensors"
_FILES = ("config.json", TOKENIZER, *PIECES, *ROLES, _SHARDS, _INDEX)
_ADAPTER = "adapter_config.json"
_CONVERTERS = ("sentencepiece", "google.protobuf")
_PER_TOKEN = (
    "decoder.weight",
    "decoder.bias",
    "predictions.bias",
    "lm_head.bias",
    "projector.weight",
    "projector.bias",
)
"""What of a head has a row a token, by how the names end."""
_PICKLES = ("*.bin", "*.pt", "*.pth", "*.ckpt", "*.pkl")
_HUB_ID = re.compile(r"[\w.-]+/[\w.-]+", re.ASCII)
_REVISION = re.compile(r"[A-Za-z0-9_][\w./-]*", re.ASCII)


class EncoderError(ValueError):
    """An encoder that cannot or must not be used. Says which, why, and what to do."""


@dataclass(frozen=True, slots=True)
class EncoderFiles:
    """A checked encoder folder. ``digest`` is SHA-256 (hex) over configuration, tokenizer and weights.

    ``revision`` is the commit of a hub's repository it was fetched at, None of a folder.
    """

    folder: Path
    name: str
    digest: str
    revision: str | None = None

    @property
    def label(self) -> str:
        """Short and unique: the name and the first eight digits of the digest."""
        return f"{self.name}@{self.digest[:8]}"

    @property
    def model_type(self) -> str:
        """Its architecture, one of ``ARCHITECTURES``."""
        return str(json.loads((self.folder / "config.json").read_text(encoding="utf-8"))["model_type"])

    @property
    def tokenizer(self) -> Path:
        """Its tokenizer's file: the one that is read as it is, else a sentencepiece model."""
        return _tokenizer_in(self.folder)

    @property
    def has_language_head(self) -> bool:
        """Whether the files have a masked-language-modelling head: what language adapters and shifts learn by."""
        return not self.weights.isdisjoint(ARCHITECTURES[self.model_type].dense)

    @property
    def weights(self) -> frozenset[str]:
        """The names of its weights."""
        return frozenset(name for path in self.folder.glob(_SHARDS) for name in _header(path))

    @property
    def parameters(self) -> int:
        """How many numbers its weights are."""
        return sum(self._sizes.values())

    @property
    def layer_parameters(self) -> int:
        """How many of them belong to its layers."""
        architecture = ARCHITECTURES[self.model_type]
        # In files of an encoder without a head names have no prefix.
        return sum(
            size
            for name, size in self._sizes.items()
            if architecture.layer_of(architecture.base + name.removeprefix(architecture.base)) is not None
        )

    @property
    def _sizes(self) -> dict[str, int]:
        headers = [_header(path) for path in self.folder.glob(_SHARDS)]
        tensors = {name: tensor for header in headers for name, tensor in header.items() if name != "__metadata__"}
        return {name: prod(tensor["shape"]) for name, tensor in tensors.items()}

    @property
    def layers(self) -> int:
        """How many it has, as its ``config.json`` says."""
        return self._number(ARCHITECTURES[self.model_type].layer_count)

    @property
    def width(self) -> int:
        """Its hidden size, as its ``config.json`` says."""
        return self._number(ARCHITECTURES[self.model_type].width)

    def _number(self, name: str) -> int:
        path = self.folder / "config.json"
        try:
            return int(json.loads(path.read_text(encoding="utf-8"))[name])
        except (KeyError, TypeError, ValueError) as error:
            raise EncoderError(f"{path}: no whole number stands under {name!r} ({error!r})") from error

    @property
    def languages(self) -> tuple[str, ...] | None:
        """The languages it was pretrained on, ISO 639-3, where a card beside it says so. Raises ``EncoderError``."""
        card = self.folder / CARD
        if not card.is_file():
            return None
        try:
            languages = json.loads(card.read_text(encoding="utf-8")).get("languages")
            return None if languages is None else tuple(str(code) for code in languages)
        except (ValueError, AttributeError, TypeError) as error:
            raise EncoderError(f"{card}: not a card of an encoder ({error!r}); mend or remove it") from error


def locate_encoder(name: str, revision: str | None = None, *, relative_to: Path | None = None) -> EncoderFiles:
    """Find and check an encoder.

    ``name`` is a folder (relative ones are looked up from ``relative_to``) or, where no such folder exists, a hub id,
    which needs ``revision``: a commit SHA, or a branch or tag, which is resolved to the commit it names now. Raises
    ``EncoderError``.
    """
    folder = (relative_to or Path()) / name
    if folder.is_dir():
        return check_encoder(folder)
    if revision is None or not _HUB_ID.fullmatch(name):
        hint = "give `revision` too, a commit or `main`, if it is a hub id" if revision is None else "not a hub id"
        raise EncoderError(f"encoder {name!r}: no folder {folder} ({hint})")
    if not _REVISION.fullmatch(revision):
        raise EncoderError(f"encoder {name!r}: revision {revision!r} is no commit, branch or tag")
    fetched = _download(name, revision)
    # The hub's library keeps the files of a commit in a folder of its SHA.
    return replace(check_encoder(fetched, name=name), revision=fetched.name)


def check_encoder(folder: Path, *, name: str | None = None) -> EncoderFiles:
    """Check a folder in transformers' layout without loading it. Raises ``EncoderError``."""
    config = folder / "config.json"
    _refuse_adapter(folder)
    if not config.is_file():
        raise EncoderError(f"{folder}: no config.json; expected an encoder in transformers' layout")
    try:
        stated = json.loads(config.read_text(encoding="utf-8"))
        model_type = stated.get("model_type")
    except (ValueError, AttributeError) as error:
        raise EncoderError(f"{config}: not a JSON object ({error})") from error
    if model_type not in ARCHITECTURES:
        raise EncoderError(f"{config}: model_type {model_type!r} is not allowed; allowed: {', '.join(ARCHITECTURES)}")
    if not any((folder / name).is_file() for name in (_WEIGHTS, _INDEX)):
        pickles = sorted(path.name for pattern in _PICKLES for path in folder.glob(pattern))
        weights = f"only pickled weights ({', '.join(pickles)})" if pickles else "no weights"
        raise EncoderError(f"{folder}: {weights}; {_WEIGHTS} is needed, pickles are never opened. Convert them once")
    tokenizer = _tokenizer_in(folder)
    digest = hashlib.sha256()
    index, shards = folder / _INDEX, sorted(folder.glob(_SHARDS))
    for path in shards:
        _refuse_other_vocabulary(path, ARCHITECTURES[model_type], stated.get("vocab_size"))
    read = [config, tokenizer, *shards]
    for path in [*read, index] if index.is_file() else read:
        with path.open("rb") as file:
            digest.update(path.name.encode() + b"\0" + hashlib.file_digest(file, "sha256").digest())
    digest.update(_unusual_roles(folder))
    return EncoderFiles(folder, name or folder.resolve().name, digest.hexdigest())


def refuse_changed(files: EncoderFiles) -> None:
    """Raises ``EncoderError`` where the files in a folder are no longer those that were checked."""
    now = check_encoder(files.folder).digest
    if now != files.digest:
        raise EncoderError(
            f"{files.folder}: its files changed, from {files.digest[:8]} to {now[:8]}, since they were checked; what "
            "is trained now would be of another encoder. Run the job again, or put the files back"
        )


def _refuse_adapter(folder: Path) -> None:
    """Raises ``EncoderError`` where a folder holds an adapter and no encoder."""
    path = folder / _ADAPTER
    if not path.is_file() or any((folder / name).is_file() for name in (_WEIGHTS, _INDEX)):
        return
    try:
        stated = json.loads(path.read_text(encoding="utf-8"))
        base = stated.get("base_model_name_or_path") or stated.get("model_name") or "the encoder it was trained on"
    except (ValueError, AttributeError):
        base = "the encoder it was trained on"
    raise EncoderError(f"{folder}: an adapter ({_ADAPTER}), not an encoder; name {base} instead")


def _tokenizer_in(folder: Path) -> Path:
    file = next((folder / name for name in (TOKENIZER, *PIECES) if (folder / name).is_file()), None)
    if file is None:
        raise EncoderError(
            f"{folder}: no {TOKENIZER}, and no sentencepiece model ({', '.join(PIECES)}) to make one from; save the "
            "tokenizer in the fast format there"
        )
    if file.name != TOKENIZER and not all(map(_is_installed, _CONVERTERS)):
        raise EncoderError(
            f"{file}: a sentencepiece model alone, which is converted with `pip install 'sprachbund[sentencepiece]'`; "
            f"or save the tokenizer as {TOKENIZER} there"
        )
    return file


def _is_installed(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:  # Of a package that is not there.
        return False


def _refuse_other_vocabulary(path: Path, architecture: Architecture, vocabulary: Any) -> None:
    """Raises ``EncoderError`` where embeddings or head are for another vocabulary than ``config.json`` says."""
    for name, tensor in _header(path).items():
        counts = name.endswith(architecture.words) or (architecture.is_head(name) and name.endswith(_PER_TOKEN))
        if counts and type(vocabulary) is int and tensor["shape"][:1] != [vocabulary]:
            rows = tensor["shape"][0] if tensor["shape"] else 0
            raise EncoderError(
                f"{path}: {name} is for {rows} tokens, and config.json says vocab_size {vocabulary}: head, embeddings "
                "and tokenizer are not of one encoder"
            )


def _header(path: Path) -> dict[str, Any]:
    """What a safetensors file says of its tensors, by name. Raises ``EncoderError`` on one that is cut short."""
    size = path.stat().st_size
    with path.open("rb") as file:
        try:
            (length,) = struct.unpack("<Q", file.read(8))
            if length > size:
                raise ValueError(f"its header has {length} bytes, the file {size}")
            header = dict[str, Any](json.loads(file.read(length)))
            ends = [tensor["data_offsets"][1] for name, tensor in header.items() if name != "__metadata__"]
        except (struct.error, ValueError, KeyError, TypeError) as error:
            raise EncoderError(f"{path}: not a safetensors file ({error}); fetch it again") from error
    whole = 8 + length + max(ends, default=0)
    if size != whole:
        raise EncoderError(f"{path}: {size} bytes of {whole}; it was cut short or altered: fetch it again")
    return header


def _unusual_roles(folder: Path) -> bytes:
    """Which token begins, pads and masks, where the tokenizer alone does not tell: part of what an encoder is."""
    try:
        roles = stated_roles(folder)
    except TokenizerError as error:
        raise EncoderError(str(error)) from error
    return b"" if usual_roles(roles) else json.dumps(roles, sort_keys=True).encode()


def _download(repository: str, revision: str) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    try:
        return Path(snapshot_download(repository, revision=revision, allow_patterns=list(_FILES)))
    except HFValidationError as error:
        raise EncoderError(f"encoder {repository!r}: neither a folder nor a hub id ({error})") from error
    except (LocalEntryNotFoundError, HfHubHTTPError, OSError) as error:
        # Where it is out of reach the library says that the cache lacks it, and the cause behind that.
        behind = error.__cause__ if isinstance(error, LocalEntryNotFoundError) else None
        why = type(behind or error).__name__
        raise EncoderError(
            f"encoder {repository!r} at {revision}: cannot be fetched ({why}). "
            "Check the network, or download it once and give the folder's path as `name`"
        ) from error
