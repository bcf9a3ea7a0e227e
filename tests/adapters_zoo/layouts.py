"""Tiny random encoders whose tokenizers number their entries as well-known encoders do."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
import transformers
from tokenizers import AddedToken, Tokenizer, models, normalizers, pre_tokenizers, processors

PIECES = tuple(f"{first}{second}" for first in "abcdefgh" for second in "aeiou")
_SHAPE = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 64,
    "max_position_embeddings": 66,
}


def xlm_roberta(folder: Path, *, padded: int = 0) -> Path:
    """XLM-R's ids: four special tokens first, `<mask>` last; ``padded`` rows of the table beyond it have no token."""
    entries = {name: id_ for id_, name in enumerate(("<s>", "<pad>", "</s>", "<unk>", *PIECES, "<mask>"))}
    roles = {"cls_token": "<s>", "sep_token": "</s>", "bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>"}
    _tokenizer(folder, entries, {**roles, "unk_token": "<unk>", "mask_token": "<mask>"})
    torch.manual_seed(0)
    config = transformers.XLMRobertaConfig(
        vocab_size=len(entries) + padded, pad_token_id=1, bos_token_id=0, eos_token_id=2, type_vocab_size=1, **_SHAPE
    )
    transformers.XLMRobertaForMaskedLM(config).save_pretrained(folder)
    return folder


def bert(folder: Path, *, head: bool = True) -> Path:
    """Multilingual BERT's ids: `[PAD]` first, then entries kept free, the other special tokens behind those."""
    kept_free = [f"[unused{number}]" for number in range(1, 7)]
    names = ("[PAD]", *kept_free, "[UNK]", "[CLS]", "[SEP]", "[MASK]", *PIECES)
    roles = {"cls_token": "[CLS]", "sep_token": "[SEP]", "pad_token": "[PAD]", "unk_token": "[UNK]"}
    _tokenizer(folder, {name: id_ for id_, name in enumerate(names)}, {**roles, "mask_token": "[MASK]"})
    torch.manual_seed(0)
    config = transformers.BertConfig(vocab_size=len(names), pad_token_id=0, type_vocab_size=2, **_SHAPE)
    (transformers.BertForMaskedLM if head else transformers.BertModel)(config).save_pretrained(folder)
    return folder


def _tokenizer(folder: Path, entries: Mapping[str, int], roles: Mapping[str, Any]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = Tokenizer(models.WordLevel(dict(entries), unk_token=roles["unk_token"]))
    tokenizer.normalizer = normalizers.NFKC()
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    special = dict.fromkeys(roles.values())
    tokenizer.add_special_tokens([AddedToken(name, special=True, normalized=False) for name in special])
    begin, end = roles["cls_token"], roles["sep_token"]
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{begin} $A {end}",
        pair=f"{begin} $A {end} $B {end}",
        special_tokens=[(begin, entries[begin]), (end, entries[end])],
    )
    # As transformers saves what was once used with them: both would change what is read.
    tokenizer.enable_truncation(4)
    tokenizer.enable_padding(length=12, pad_id=entries[roles["pad_token"]], pad_token=roles["pad_token"])
    tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "tokenizer_config.json").write_text(json.dumps(dict(roles)), encoding="utf-8")
