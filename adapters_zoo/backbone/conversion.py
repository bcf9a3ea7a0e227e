"""Tokenizers that ship as a sentencepiece model alone, converted once and kept in the user's cache folder."""

from __future__ import annotations

import hashlib
import os
import warnings
from pathlib import Path

import tokenizers
import transformers
from transformers.convert_slow_tokenizer import convert_slow_tokenizer

from adapters_zoo.sources import EncoderError, EncoderFiles
from adapters_zoo.tokens import TOKENIZER, Vocabulary
from matrices.whole_file import whole_file

_SLOW = {"xlm-roberta": "XLMRobertaTokenizer", "deberta-v2": "DebertaV2Tokenizer"}
"""Classes of `transformers` that know which ids such a model's pieces have, by architecture."""


def vocabulary_of(files: EncoderFiles) -> Vocabulary:
    """The tokenizer of an encoder, with the roles of its special tokens. Raises ``ValueError``."""
    if files.tokenizer.name == TOKENIZER:
        return Vocabulary.of(files.folder)
    return Vocabulary.of(files.folder, _converted(files))


def _converted(files: EncoderFiles) -> Path:
    versions = f"{transformers.__version__} {tokenizers.__version__} {files.model_type}".encode()
    key = hashlib.sha256(versions + b"\0" + files.tokenizer.read_bytes()).hexdigest()[:32]
    root = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "sprachbund" / "tokenizers"
    path = root / f"{key}.json"
    if not path.is_file():
        content = _convert(files)
        with whole_file(path) as draft:  # Several workers may convert it at once; any of them is whole.
            draft.write_text(content, encoding="utf-8")
    return path


def _convert(files: EncoderFiles) -> str:
    if files.model_type not in _SLOW:
        convertible = " and ".join(_SLOW)
        raise EncoderError(
            f"{files.tokenizer}: sentencepiece models are converted for {convertible}, not for {files.model_type}; "
            f"save the tokenizer as {TOKENIZER} there"
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # That some converters drop a fallback on bytes, which these have not.
            slow = getattr(transformers, _SLOW[files.model_type])(vocab_file=str(files.tokenizer))
            converted: str = convert_slow_tokenizer(slow).to_str()
    except Exception as error:  # The libraries raise bare exceptions.
        raise EncoderError(f"{files.tokenizer}: not a sentencepiece model that can be read ({error})") from error
    return converted
