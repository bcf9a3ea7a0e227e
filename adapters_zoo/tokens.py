"""An encoder's tokenizer: its special tokens as its own files name them, and which entries are ordinary pieces."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer
from torch import Tensor

TOKENIZER = "tokenizer.json"
PIECES = ("sentencepiece.bpe.model", "spm.model", "spiece.model", "tokenizer.model")
"""Names of sentencepiece models, which can be converted where there is no such file."""
ROLES = ("tokenizer_config.json", "special_tokens_map.json")
"""Files that say which token has which role; what the first says goes."""

_NAMES = (("<s>", "<pad>", "</s>", "<unk>", "<mask>"), ("[CLS]", "[PAD]", "[SEP]", "[UNK]", "[MASK]"))
"""Names by role (begin, pad, end, unknown, mask) where no file beside the tokenizer says which is which."""
_KEYS = (("cls_token", "bos_token"), ("pad_token",), ("sep_token", "eos_token"), ("unk_token",), ("mask_token",))
"""Keys of transformers' tokenizer files by role; the first that is there goes."""
_UNUSED = re.compile(r"[\[<]unused_?\d+[\]>]", re.IGNORECASE)
"""Entries that a vocabulary keeps free: no text has them."""


class TokenizerError(ValueError):
    """A tokenizer that an encoder cannot be read with."""


@dataclass(frozen=True, slots=True)
class SpecialTokens:
    """Ids of the tokens with a role; ``mask`` is None where the tokenizer has no such token."""

    begin: int
    pad: int
    end: int
    unknown: int
    mask: int | None

    @classmethod
    def of(cls, tokenizer: Tokenizer, names: dict[str, str] | None = None) -> SpecialTokens:
        """Look the roles up, by ``names`` as transformers' tokenizer files give them, else RoBERTa's or BERT's names.

        Raises ``TokenizerError`` where a role other than the mask's is not filled.
        """
        if names:
            wanted = _by_role(names)
        else:
            rows = [row for row in _NAMES if all(tokenizer.token_to_id(name) is not None for name in row)]
            if not rows:
                raise TokenizerError(
                    f"{TOKENIZER} has neither {' '.join(_NAMES[0])} nor {' '.join(_NAMES[1])}, and {ROLES[0]} does not "
                    "say which of its tokens begins, pads and ends a text; save the tokenizer with transformers there"
                )
            wanted = [*rows[0]]
        *needed, mask = wanted
        begin, pad, end, unknown = map(partial(_id_of, tokenizer), ("begin", "pad", "end", "unknown"), needed)
        return cls(begin, pad, end, unknown, None if mask is None else tokenizer.token_to_id(mask))

    @property
    def all(self) -> tuple[int, ...]:
        """The ids that there are."""
        ids = (self.begin, self.pad, self.end, self.unknown, self.mask)
        return tuple(id_ for id_ in ids if id_ is not None)


class Vocabulary:
    """A tokenizer with the roles of its special tokens. It neither cuts nor pads, whatever its file asks for."""

    def __init__(self, tokenizer: Tokenizer, special: SpecialTokens) -> None:
        tokenizer.no_truncation()
        tokenizer.no_padding()
        self.tokenizer, self.special = tokenizer, special

    @classmethod
    def of(cls, folder: Path, path: Path | None = None) -> Vocabulary:
        """The tokenizer of an encoder's folder, or one at ``path`` made from it. Raises ``TokenizerError``."""
        path = path or folder / TOKENIZER
        try:
            tokenizer = Tokenizer.from_file(str(path))
        except Exception as error:  # The library raises bare exceptions.
            raise TokenizerError(f"{path}: not a tokenizer that can be read ({error})") from error
        try:
            return cls(tokenizer, SpecialTokens.of(tokenizer, stated_roles(folder)))
        except TokenizerError as error:
            raise TokenizerError(f"{folder}: {error}") from error

    @property
    def size(self) -> int:
        """One more than the highest id the tokenizer gives."""
        return int(max(self.tokenizer.get_vocab().values())) + 1

    @cached_property
    def ordinary(self) -> Tensor:
        """Ids, ascending (int64 [n]), of entries that text is made of: no special token, none that is kept free.

        Entries of a padded embedding table beyond the vocabulary are none of them.
        """
        added = self.tokenizer.get_added_tokens_decoder()
        special = {*self.special.all, *(id_ for id_, token in added.items() if token.special)}
        entries = self.tokenizer.get_vocab()
        return torch.tensor(
            sorted(id_ for name, id_ in entries.items() if id_ not in special and not _UNUSED.fullmatch(name))
        )


def stated_roles(folder: Path) -> dict[str, str]:
    """Names of special tokens by transformers' keys, as the folder's files say; empty where none does.

    Raises ``TokenizerError`` on a file that transformers would not have written.
    """
    stated: dict[str, str] = {}
    for name in reversed(ROLES):
        path = folder / name
        if path.is_file():
            try:
                values = json.loads(path.read_text(encoding="utf-8"))
                stated |= {key: _content(value) for key, value in values.items() if key.endswith("_token") and value}
            except (ValueError, AttributeError, KeyError, TypeError) as error:
                raise TokenizerError(f"{path}: not what transformers writes there ({error!r})") from error
    return stated


def _id_of(tokenizer: Tokenizer, role: str, name: str | None) -> int:
    id_: int | None = None if name is None else tokenizer.token_to_id(name)
    if id_ is None:
        what = "no token is named" if name is None else f"{name!r} is not in {TOKENIZER}"
        raise TokenizerError(f"{what} for the role {role!r}; mend {ROLES[0]}")
    return id_


def usual_roles(stated: dict[str, str]) -> bool:
    """Whether files say no more of special tokens than their names do, as RoBERTa or BERT call them."""
    return not stated or tuple(_by_role(stated)) in _NAMES


def _by_role(stated: dict[str, str]) -> list[str | None]:
    return [next((stated[key] for key in keys if key in stated), None) for keys in _KEYS]


def _content(value: Any) -> str:
    return str(value["content"] if isinstance(value, dict) else value)
