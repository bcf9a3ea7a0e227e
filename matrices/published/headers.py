"""What the columns of published tables are called, and which is which."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

_NAMES = {
    "source": "source source_lang source_language transfer transfer_lang transfer_language src src_lang train "
    "train_lang train_language training_lang training_language lang_train train_file language_train pivot donor from",
    "target": "target target_lang target_language tgt tgt_lang trg trg_lang test test_lang test_language eval_lang "
    "eval_language task_lang lang_pred lang_test lang_eval eval_file language_test recipient to",
    "score": "score accuracy acc f1 f1_score micro_f1 macro_f1 bleu spbleu chrf las uas em exact_match rouge_l map "
    "ndcg mrr spearman pearson precision recall wer cer ter per perplexity ppl loss error_rate error value result "
    "results performance delta difference gain",
    "rank": "rank ranking",
}
"""What the columns are called in published tables, most telling first; ``_raw`` and ``_code`` may follow each name."""

_FEATURES = re.compile(
    r"(genetic|syntactic|featural|phonological|inventory|geographic)(_distance)?"
    r"|(word|subword|entity)_overlap|overlap(_(word|subword|entity)_level)?"
    r"|(transfer|source|target)_lang_dataset_size|transfer_over_target_size_ratio"
    r"|(transfer|source|target)_lang_ttr|transfer_target_ttr_distance"
)
"""Columns taken as features unasked: URIEL's distances and LangRank's features of corpora.

No other is: in published tables further numbers are made of the scores (ranks, levels, baselines), and would give the
answer away.
"""
_SEED = re.compile(r"(?:.*_)?(?:seed|run|trial)_?\d+")
_BETWEEN_SIDES = re.compile(r"[\\/|→>↓↘]+|\bvs\b|\bby\b|\bx\b")


@dataclass(frozen=True, slots=True)
class Found:
    """Columns by what they say, None where there is none; those of features; and those of single seeds' scores."""

    named: dict[str, str | None]
    features: tuple[str, ...]
    seeds: tuple[str, ...]


def found_columns(header: Sequence[str], named: Mapping[str, str | None], seeds: Sequence[str]) -> Found:
    """The columns that are ``named``, and of the others those that are called as such usually are.

    A rank is looked for where there is no score, and seeds (``seed1``, ``score_run_2``) where there is neither.
    """
    found = dict(named)
    for name in ("source", "target"):
        found[name] = found[name] or _guess(header, name)
    if not (found["score"] or found["rank"] or seeds):
        found["score"], found["rank"] = _guess(header, "score"), _guess(header, "rank")
    if not (found["score"] or found["rank"] or seeds):
        seeds = [name for name in header if _SEED.fullmatch(plain(name)) and name != found["seed"]]
    features = tuple(name for name in header if _FEATURES.fullmatch(plain(name)))
    return Found(found, features, tuple(seeds))


def corner_side(corner: str) -> str | None:
    """Which side the rows of a grid are, as its corner says (``source \\ target``, ``train/test``), or None."""
    words = [plain(word) for word in _BETWEEN_SIDES.split(corner.casefold()) if plain(word)]
    for word in words[:1]:
        for side in ("source", "target"):
            if word in _NAMES[side].split():
                return f"{side}s"
    return None


def plain(name: str) -> str:
    """A column's name in small letters, its words parted by underscores: ``Train-Language`` is ``train_language``."""
    return re.sub(r"[^a-z0-9]+", "_", name.casefold()).strip("_")


def _guess(header: Sequence[str], what: str) -> str | None:
    known = {plain(name): name for name in reversed(header)}
    names = [name + ending for name in _NAMES[what].split() for ending in ("", "_code", "_raw")]
    return next((known[name] for name in names if name in known), None)
