"""Deriving from what was trained, without training: dev scores, merged language adapters, and what selections take."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict

from torch import Tensor

from adapters_zoo.combination import (
    Weighted,
    add_language_state,
    add_state,
    combined,
    combined_heads,
    distance,
    effect,
    standing,
)
from adapters_zoo.zoo import Trained
from matrices.selections import parse
from workers.corpora.types import Split
from workers.encoding import encode_items
from workers.evaluation import Contestant, evaluate
from workers.loaded import Loaded
from workers.selecting import Guard, Shares, refuse_leak, take
from workers.tasks.scoring import Outcome, score
from workers.work_units import DataReference, DevScores, MergedAdapter, Selected

Derived = DevScores | MergedAdapter | Selected
_MEAN = "mean"
"""The name under which a mean stands in the encoder while it is judged."""


def derive(loaded: Loaded, unit: Derived) -> None:
    """Make a learner of others and keep it in the zoo. Raises ``LeakError``, and ``AdapterFileError``."""
    try:
        match unit:
            case DevScores():
                _score(loaded, unit)
            case MergedAdapter():
                _merge(loaded, unit)
            case Selected():
                _select(loaded, unit)
    finally:
        loaded.forget(unit.key)


def _score(loaded: Loaded, unit: DevScores) -> None:
    """Score adapters on dev splits, each over the items of all of them."""
    start = time.monotonic()
    outcomes: dict[str, list[Outcome]] = {}
    for first in range(0, len(unit.adapters), loaded.at_a_time):
        part = unit.adapters[first : first + loaded.at_a_time]
        loaded.need([*part, *([unit.under] if unit.under else [])])
        contestants = [Contestant(key, loaded.head(key)) for key in part]
        outcomes |= dict(zip(part, _outcomes(loaded, unit.data, unit.under, contestants), strict=True))
    trained = Trained(unit.key, (), time.monotonic() - start, 0.0)
    loaded.zoo.save_scores(loaded.encoder, [score(outcomes[key]) for key in unit.adapters], trained, unit.made_from)


def _outcomes(
    loaded: Loaded, data: Sequence[DataReference], under: str | None, contestants: Sequence[Contestant]
) -> list[list[Outcome]]:
    """The outcomes of each contestant on the items of all the data."""
    outcomes: list[list[Outcome]] = [[] for _ in contestants]
    for reference in data:
        dataset = loaded.data(reference).first(reference.limit)
        on_it = evaluate(loaded.encoder, dataset, encode_items(loaded.encoder, dataset), under, contestants)
        outcomes = [before + more for before, more in zip(outcomes, on_it, strict=True)]
    return outcomes


def _merge(loaded: Loaded, unit: MergedAdapter) -> None:
    """Make a language adapter of others."""
    start = time.monotonic()
    add_language_state(loaded.encoder, unit.key, unit.recipe, combined(_members(loaded, dict(unit.parts))))
    trained = Trained(unit.key, (), time.monotonic() - start, 0.0)
    loaded.zoo.save(loaded.encoder, unit.key, trained, unit.made_from)


def _members(loaded: Loaded, shares: Shares) -> Iterator[Weighted]:
    """Adapters with their coefficients in a mean, of which one has to be loaded at a time."""
    for key, share in shares.items():
        loaded.need([key])
        yield loaded.encoder.parameters_of(key), share


def _select(loaded: Loaded, unit: Selected) -> None:
    """Take what a selection says of its runs' states, as an adapter of its own. Raises ``LeakError``."""
    start, selection = time.monotonic(), parse(unit.selection)
    refuse_leak(selection, _judged_on(loaded, unit), _trained_on(loaded, unit))
    scores = [loaded.zoo.load_scores(loaded.encoder, key) for key in unit.scores]
    taken = take(selection, unit.runs, scores, Guard(unit.guard, unit.mean_guard), _OnDev(loaded, unit))
    if len(taken.shares) > 1:
        add_state(loaded.encoder, unit.key, unit.recipe, combined(_members(loaded, taken.shares)))
        name, head = unit.key, combined_heads([(loaded.head(key), share) for key, share in taken.shares.items()])
    else:
        (name,) = taken.shares  # As it is, to the last bit.
        loaded.need([name])
        head = loaded.head(name)
    how = {
        "taken": taken.shares,
        **({"left_out": [asdict(member) for member in taken.left_out]} if taken.left_out else {}),
    }
    trained = Trained(unit.key, head.labels, time.monotonic() - start, 0.0)
    loaded.zoo.save(loaded.encoder, name, trained, {**unit.made_from, **how}, head)


def _judged_on(loaded: Loaded, unit: Selected) -> set[tuple[str, Split]]:
    """The language and split of the labels that decide, of scores as the zoo has it, whatever a plan says."""
    stated = [one for key in unit.scores for one in loaded.made_from(key)["data"]]
    return {*((one["language"], one["split"]) for one in stated), *((one.language, one.split) for one in unit.data)}


def _trained_on(loaded: Loaded, unit: Selected) -> set[str]:
    """The languages that runs learned the task from."""
    return {language for run in unit.runs for language in loaded.made_from(run[-1])["data"]}


class _OnDev:
    """See ``Judge``: means are made, and scored on the dev split that the states were scored on."""

    def __init__(self, loaded: Loaded, unit: Selected) -> None:
        self._loaded, self._unit = loaded, unit

    def score(self, shares: Shares) -> float:
        """See ``Judge``."""
        loaded, unit = self._loaded, self._unit
        head = combined_heads([(loaded.head(key), share) for key, share in shares.items()])
        state = combined(_members(loaded, shares))
        loaded.need([unit.under] if unit.under else [])
        with standing(loaded.encoder, _MEAN, unit.recipe, state):
            [outcomes] = _outcomes(loaded, unit.data, unit.under, [Contestant(_MEAN, head)])
        return score(outcomes) or 0.0

    def farthest(self, members: Sequence[Shares]) -> int:
        """See ``Judge``. Of LoRA the products are compared."""
        everywhere = {key: 0.0 for shares in members for key in shares}
        for shares in members:
            for key, share in shares.items():
                everywhere[key] += share / len(members)
        mean = self._effect(everywhere)
        distances = [distance(self._effect(shares), mean) for shares in members]
        return distances.index(max(distances))

    def _effect(self, shares: Shares) -> Mapping[str, Tensor]:
        return effect(combined(_members(self._loaded, shares)), self._unit.recipe)
