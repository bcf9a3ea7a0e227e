"""What pretraining reads: the vocabulary it is read by, packed monolingual text, and pairs of translations."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from torch import Tensor

from adapters_zoo.tokens import SpecialTokens

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


Ids = np.ndarray


@dataclass(frozen=True)
class Texts:
    """Tokenised text: a stream a language, and for each language of the parallel corpus its lines by id."""

    streams: tuple[Ids, ...]
    starts: tuple[Ids, ...]
    """Where windows of each stream may begin."""
    parallel: tuple[Mapping[str, Ids], ...]
    draw: np.ndarray
    """Probability that a row is drawn from each stream."""

    @staticmethod
    def smoothed(
        streams: Sequence[Ids], starts: Sequence[Ids], parallel: Sequence[Mapping[str, Ids]], power: float
    ) -> Texts:
        """Streams drawn in proportion to their length to ``power``."""
        weights = np.array([len(stream) for stream in streams], dtype=float) ** power
        return Texts(tuple(streams), tuple(starts), tuple(parallel), weights / weights.sum())

    def monolingual(self, rows: int, length: int, begin: int, rng: np.random.Generator) -> Tensor:
        """Windows of streams behind the begin token: [rows, length], nothing padded."""
        ids = np.full((rows, length), begin, dtype=np.int64)
        for row, language in enumerate(rng.choice(len(self.streams), rows, p=self.draw)):
            starts = self.starts[language]
            at = starts[rng.integers(len(starts))]
            window = self.streams[language][at : at + length - 1]
            ids[row, 1 : 1 + len(window)] = window
        return torch.from_numpy(ids)

    def pairs(self, count: int, room: int, special: SpecialTokens, rng: np.random.Generator) -> list[tuple[Ids, Ids]]:
        """Translations of one line in two languages each, closed by begin and end, at most ``room`` tokens a side."""
        found: list[tuple[Ids, Ids]] = []
        while len(found) < count:
            one, other = rng.choice(len(self.parallel), 2, replace=False)
            first = self.parallel[one]
            line = list(first)[rng.integers(len(first))]
            if line in self.parallel[other]:
                sides = [
                    np.r_[special.begin, side[line][: room - 2], special.end] for side in (first, self.parallel[other])
                ]
                found.append((sides[0], sides[1]))
        return found


def translation_batch(pairs: Sequence[tuple[Ids, Ids]], room: int, pad: int, offset: int) -> tuple[Tensor, Tensor]:
    """Pairs side by side (translation language modelling, Conneau and Lample 2019): ids and positions [n, 2 x room].

    Positions start anew with the second sentence, at ``offset``.
    """
    ids = np.full((len(pairs), 2 * room), pad, dtype=np.int64)
    positions = np.full_like(ids, pad)
    for row, (one, other) in enumerate(pairs):
        end = len(one) + len(other)
        ids[row, :end] = np.r_[one, other]
        positions[row, :end] = offset + np.r_[np.arange(len(one)), np.arange(len(other))]
    return torch.from_numpy(ids), torch.from_numpy(positions)


def contrast_batch(pairs: Sequence[tuple[Ids, Ids]], room: int, pad: int) -> Tensor:
    """First halves, then second halves, a sentence a row: [2 x n, room]."""
    ids = np.full((2 * len(pairs), room), pad, dtype=np.int64)
    for row, sentence in enumerate([one for one, _ in pairs] + [other for _, other in pairs]):
        ids[row, : len(sentence)] = sentence
    return torch.from_numpy(ids)
