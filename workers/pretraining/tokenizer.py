"""The tokenizer: byte-pair encoding over words, punctuation and single digits, with RoBERTa's special tokens."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

SPECIAL = ("<s>", "<pad>", "</s>", "<unk>", "<mask>")
_CHARACTERS_A_LANGUAGE = 250_000
_ALPHABET = 4000


def train_tokenizer(texts: Mapping[str, Sequence[str]], vocabulary: int, seed: int) -> Tokenizer:
    """Learn pieces from an equal share of every language: at most 250,000 characters of each."""
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>"))
    tokenizer.normalizer = normalizers.NFKC()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Metaspace(), pre_tokenizers.Punctuation(), pre_tokenizers.Digits(individual_digits=True)]
    )
    tokenizer.decoder = decoders.Metaspace()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary, special_tokens=list(SPECIAL), limit_alphabet=_ALPHABET, show_progress=False
    )
    tokenizer.train_from_iterator(_sample(texts, seed), trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>",
        pair="<s> $A </s> </s> $B </s>",
        special_tokens=[("<s>", SPECIAL.index("<s>")), ("</s>", SPECIAL.index("</s>"))],
    )
    return tokenizer


def save_tokenizer(tokenizer: Tokenizer, folder: Path, max_length: int) -> None:
    """Write ``tokenizer.json`` and the configuration with which transformers opens it."""
    tokenizer.save(str(folder / "tokenizer.json"))
    roles = dict(zip(("bos_token", "pad_token", "eos_token", "unk_token", "mask_token"), SPECIAL, strict=True))
    settings = {"tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": max_length, **roles}
    settings |= {"cls_token": "<s>", "sep_token": "</s>"}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings, indent=1) + "\n", encoding="utf-8")


def _sample(texts: Mapping[str, Sequence[str]], seed: int) -> Iterable[str]:
    for number, language in enumerate(sorted(texts)):
        budget = _CHARACTERS_A_LANGUAGE
        for index in np.random.default_rng((seed, number)).permutation(len(texts[language])):
            sentence = texts[language][index]
            yield sentence
            budget -= len(sentence)
            if budget <= 0:
                break
