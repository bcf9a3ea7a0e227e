"""Which states of training runs a selection takes, by dev scores; and the gate that labels of targets stay behind.

Selections, their names and their source: ``matrices.selections``.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TypeVar

from matrices.selections import ORACLE, Selection, SelectionError
from workers.corpora.types import Split

R = TypeVar("R")


class LeakError(RuntimeError):
    """A selection that would see labels which it must not."""


def refuse_leak(selection: Selection, judged_on: Collection[tuple[str, Split]], trained_on: Collection[str]) -> None:
    """Raise ``LeakError`` where weights would be chosen by labels that a user without labels of the target lacks.

    ``judged_on`` are the language and split of the scores that decide, ``trained_on`` the languages of the runs. The
    dev split of a training language may decide; a test split never may; of another language only the oracle's may.
    """
    for language, split in judged_on:
        if split != "dev":
            raise LeakError(f"{selection.rule} would be chosen on the {split} split of {language}; only dev may decide")
        if language not in trained_on and not selection.is_oracle:
            raise LeakError(
                f"{selection.rule} would be chosen by labels of {language}, which none of its runs learned from "
                f"({', '.join(sorted(trained_on))}); that is what {ORACLE} is for"
            )


def groups(seeds: Sequence[int], recipes: Sequence[R], runs: int) -> Iterator[tuple[int, tuple[tuple[int, R], ...]]]:
    """Runs, as seed and recipe, in groups of so many, no run in two; each group with the seed it begins at.

    Runs are in order of seeds. Each seed begins at another recipe, so that groups smaller than the number of recipes
    are of all recipes alike. More seeds add groups and change none.
    """
    ordered = [
        (seed, recipes[(at + step) % len(recipes)]) for at, seed in enumerate(seeds) for step in range(len(recipes))
    ]
    every = -(-runs // len(recipes))
    for at in range(0, len(seeds), every):
        group = tuple(ordered[at * len(recipes) :][:runs])
        if len(group) == runs:
            yield seeds[at], group


def shares(
    selection: Selection, runs: Sequence[Sequence[str]], scores: Sequence[Sequence[float | None]], guard: float
) -> dict[str, float]:
    """The share of each state (by key) in the weights that a selection takes; shares add up to 1.

    ``runs`` are the keys of each run's states, its end last; ``scores`` [runs, states] are on the dev split. A mean is
    taken over those only whose score is at least ``guard`` times the best of those it would be taken over: a state
    that was hardly trained, or a run that failed, would spoil it. A score that is not defined counts as 0. Ties go to
    the later state, and to the earlier run. Raises ``SelectionError`` where there are fewer states than asked for.
    """
    known = {
        key: (score or 0.0)
        for keys, values in zip(runs, scores, strict=True)
        for key, score in zip(keys, values, strict=True)
    }
    match selection.rule:
        case "last":
            return {runs[0][-1]: 1.0}
        case "source_dev" | "target_dev":
            return {_best(_all(runs), known, 1)[0]: 1.0}
        case "averaged":
            return _mean(runs[0][-selection.most :] if selection.most else runs[0], known, guard)
        case "soup":
            states, most = _all(runs), selection.most or 1
            if len(states) < most:
                raise SelectionError(f"a soup of {most} needs as many snapshots, and there are {len(states)}")
            return dict.fromkeys(_best(states, known, most), 1 / most)
        case "run_averaged":
            of = Selection(selection.of)
            taken = [shares(of, [keys], [[known[key] for key in keys]], guard) for keys in runs]
            worth = [sum(share * known[key] for key, share in one.items()) for one in taken]
            kept = [one for one, score in zip(taken, worth, strict=True) if score >= guard * max(worth)]
            total: defaultdict[str, float] = defaultdict(float)
            for one in kept:
                for key, share in one.items():
                    total[key] += share / len(kept)
            return dict(total)


def _all(runs: Sequence[Sequence[str]]) -> list[str]:
    """Every state, so that of equally good ones the first is the later of a run, of the earlier run."""
    return [key for keys in runs for key in reversed(keys)]


def _best(states: Sequence[str], scores: Mapping[str, float], most: int) -> list[str]:
    return sorted(states, key=lambda key: -scores[key])[:most]


def _mean(states: Sequence[str], scores: Mapping[str, float], guard: float) -> dict[str, float]:
    best = max(scores[key] for key in states)
    kept = [key for key in states if scores[key] >= guard * best]
    return dict.fromkeys(kept, 1 / len(kept))
