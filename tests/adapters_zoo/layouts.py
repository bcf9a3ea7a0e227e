"""Tiny random encoders whose tokenizers number their entries as well-known encoders do."""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
import transformers
from tokenizers import AddedToken, Tokenizer, models, normalizers, pre_tokenizers, processors

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # The libraries' own, of torch.jit, once these are imported.
    from transformers import DebertaV2ForMaskedLM, ModernBertForMaskedLM

PIECES = tuple(f"{first}{second}" for first in "abcdefgh" for second in "aeiou")
_SHAPE = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 64,
    "max_position_embeddings": 66,
}


def xlm_roberta(folder: Path, *, padded: int = 0, vocabulary: int | None = None) -> Path:
    """XLM-R's ids: four special tokens first, `<mask>` last; ``padded`` rows of the table beyond it have no token.

    ``vocabulary``: rows of the table, where it is for another tokenizer than is written here.
    """
    entries = {name: id_ for id_, name in enumerate(("<s>", "<pad>", "</s>", "<unk>", *PIECES, "<mask>"))}
    roles = {"cls_token": "<s>", "sep_token": "</s>", "bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>"}
    _tokenizer(folder, entries, {**roles, "unk_token": "<unk>", "mask_token": "<mask>"})
    torch.manual_seed(0)
    config = transformers.XLMRobertaConfig(
        vocab_size=vocabulary or len(entries) + padded,
        pad_token_id=1,
        bos_token_id=0,
        eos_token_id=2,
        type_vocab_size=1,
        **_SHAPE,
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


def roberta(folder: Path) -> Path:
    """XLM-R's ids, which are RoBERTa's, on a model of the other name."""
    xlm_roberta(folder)
    torch.manual_seed(0)
    config = transformers.RobertaConfig(
        vocab_size=_entries(folder), pad_token_id=1, bos_token_id=0, eos_token_id=2, type_vocab_size=1, **_SHAPE
    )
    transformers.RobertaForMaskedLM(config).save_pretrained(folder)
    return folder


def distilbert(folder: Path) -> Path:
    """Multilingual BERT's ids on half of its layers; positions are learned, and there are no token types."""
    bert(folder)
    torch.manual_seed(0)
    config = transformers.DistilBertConfig(
        vocab_size=_entries(folder),
        pad_token_id=0,
        dim=32,
        n_layers=2,
        n_heads=2,
        hidden_dim=64,
        max_position_embeddings=66,
    )
    transformers.DistilBertForMaskedLM(config).save_pretrained(folder)
    return folder


def modernbert(folder: Path) -> Path:
    """mmBERT's ids, which are Gemma 2's: `<pad>`, `<eos>`, `<bos>`, `<unk>`, `<mask>` first, then entries kept free."""
    kept_free = [f"<unused{number}>" for number in range(5)]
    names = ("<pad>", "<eos>", "<bos>", "<unk>", "<mask>", *kept_free, *PIECES)
    roles = {"bos_token": "<bos>", "eos_token": "<eos>", "cls_token": "<bos>", "sep_token": "<eos>"}
    roles |= {"pad_token": "<pad>", "unk_token": "<unk>", "mask_token": "<mask>"}
    _tokenizer(folder, {name: id_ for id_, name in enumerate(names)}, roles)
    torch.manual_seed(0)
    config = transformers.ModernBertConfig(
        vocab_size=len(names),
        pad_token_id=0,
        bos_token_id=2,
        eos_token_id=1,
        cls_token_id=2,
        sep_token_id=1,
        # Every third layer attends to all, the others to what is near.
        local_attention=8,
        **_SHAPE | {"num_hidden_layers": 3},
    )
    ModernBertForMaskedLM(config).save_pretrained(folder)
    return folder


def deberta_v2(folder: Path, *, legacy: bool = False) -> Path:
    """mDeBERTa's ids and shape: relative positions in buckets, none added to embeddings, `[MASK]` the last of all.

    ``legacy``: with the head as transformers names it by default; else as files of the first authors have it.
    """
    names = ("[PAD]", "[CLS]", "[SEP]", "[UNK]", *PIECES, "[MASK]")
    roles = {"cls_token": "[CLS]", "bos_token": "[CLS]", "sep_token": "[SEP]", "eos_token": "[SEP]"}
    roles |= {"pad_token": "[PAD]", "unk_token": "[UNK]", "mask_token": "[MASK]"}
    _tokenizer(folder, {name: id_ for id_, name in enumerate(names)}, roles)
    torch.manual_seed(0)
    config = transformers.DebertaV2Config(
        vocab_size=len(names),
        pad_token_id=0,
        type_vocab_size=0,
        relative_attention=True,
        position_buckets=8,
        max_relative_positions=-1,
        norm_rel_ebd="layer_norm",
        share_att_key=True,
        pos_att_type=["p2c", "c2p"],
        position_biased_input=False,
        legacy=legacy,
        tie_word_embeddings=legacy,
        **_SHAPE,
    )
    DebertaV2ForMaskedLM(config).save_pretrained(folder)
    path = folder / "config.json"
    # Theirs does not say which head the files have.
    saved = json.loads(path.read_text(encoding="utf-8"))
    saved = {key: value for key, value in saved.items() if key not in ("legacy", "tie_word_embeddings")}
    path.write_text(json.dumps(saved), encoding="utf-8")
    return folder


def deberta_v2_legacy(folder: Path) -> Path:
    """The same with the head as transformers names it by default."""
    return deberta_v2(folder, legacy=True)


def _entries(folder: Path) -> int:
    return int(Tokenizer.from_file(str(folder / "tokenizer.json")).get_vocab_size())


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
