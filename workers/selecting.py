"""Which states of training runs a selection takes, by dev scores; and the gate that labels of targets stay behind.

Selections, their names and their source: ``matrices.selections``.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

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


Shares = Mapping[str, float]
"""The share of each state (by key) in a mean; shares add up to 1."""


class Judge(Protocol):
    """What is known of means of states only by making them."""

    def score(self, shares: Shares) -> float:
        """The score of a mean on the dev split that decides; 0 where it is not defined."""

    def farthest(self, members: Sequence[Shares]) -> int:
        """Which of the members lies farthest, in weights, from the mean of all of them."""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A member of a mean that was left out, with its score on the dev split.

    ``mean`` is the score of the mean with it; None: its own score was too low to try.
    """

    states: tuple[str, ...]
    score: float
    mean: float | None


@dataclass(frozen=True, slots=True)
class Taken:
    """What a selection takes: shares of states, their score on the dev split, and what was left out of means."""

    shares: dict[str, float]
    score: float
    left_out: tuple[LeftOut, ...] = ()


@dataclass(frozen=True, slots=True)
class Guard:
    """Below which share of the best one's dev score a member is left out of a mean, and a mean is not taken."""

    member: float
    mean: float


def take(
    selection: Selection,
    runs: Sequence[Sequence[str]],
    scores: Sequence[Sequence[float | None]],
    guard: Guard,
    judge: Judge,
) -> Taken:
    """What a selection takes of ``runs``: the keys of each run's states, its end last.

    ``scores`` [runs, states] are on the dev split; one that is not defined counts as 0. Ties go to the later state, and
    to the earlier run. Means are guarded: see ``mean_of``. Raises ``SelectionError`` where there are fewer states than
    asked for.
    """
    known = {
        key: (score or 0.0)
        for keys, values in zip(runs, scores, strict=True)
        for key, score in zip(keys, values, strict=True)
    }

    def alone(key: str) -> Taken:
        return Taken({key: 1.0}, known.get(key, 0.0))

    match selection.rule:
        case "last":
            return alone(runs[0][-1])
        case "source_dev" | "target_dev":
            return alone(_best(_all(runs), known, 1)[0])
        case "averaged":
            states = runs[0][-selection.most :] if selection.most else runs[0]
            return mean_of([alone(key) for key in reversed(states)], guard, judge)
        case "soup":
            states, most = _all(runs), selection.most or 1
            if len(states) < most:
                raise SelectionError(f"a soup of {most} needs as many snapshots, and there are {len(states)}")
            return mean_of([alone(key) for key in _best(states, known, most)], Guard(0.0, guard.mean), judge)
        case "run_averaged":
            of = Selection(selection.of)
            return mean_of(
                [take(of, [keys], [[known[key] for key in keys]], guard, judge) for keys in runs], guard, judge
            )


def mean_of(members: Sequence[Taken], guard: Guard, judge: Judge) -> Taken:
    """The mean of members, each with an equal share, less those that would spoil it; at the least the best one.

    Left out is a member whose own score is below ``guard.member`` times the best one's: it was hardly trained, or
    failed. Members that are good may have a bad mean all the same, where training took them so far apart that the loss
    rises between them. So the mean is scored too, and while that is below ``guard.mean`` times the best member's score,
    the member farthest from it in weights is left out. Of two neither is nearer: the best of all is taken.
    """
    best = max(members, key=lambda member: member.score)
    kept = [member for member in members if member.score >= guard.member * best.score]
    out: list[tuple[Taken, float | None]] = [(member, None) for member in members if member not in kept]
    taken = best
    while len(kept) > 1:
        shares = _even(kept)
        score = judge.score(shares)
        if score >= guard.mean * best.score:
            taken = Taken(shares, score)
            break
        leaving = kept if len(kept) == 2 else [kept[judge.farthest([member.shares for member in kept])]]
        out += [(member, score) for member in leaving]
        kept = [member for member in kept if member not in leaving]
    inner = [one for member in (kept if taken is not best else [best]) for one in member.left_out]
    left_out = [LeftOut(tuple(member.shares), member.score, mean) for member, mean in out if member is not taken]
    return Taken(taken.shares, taken.score, (*inner, *left_out))


def _even(members: Sequence[Taken]) -> dict[str, float]:
    total: defaultdict[str, float] = defaultdict(float)
    for member in members:
        for key, share in member.shares.items():
            total[key] += share / len(members)
    return dict(total)


def _all(runs: Sequence[Sequence[str]]) -> list[str]:
    """Every state, so that of equally good ones the first is the later of a run, of the earlier run."""
    return [key for keys in runs for key in reversed(keys)]


def _best(states: Sequence[str], scores: Mapping[str, float], most: int) -> list[str]:
    return sorted(states, key=lambda key: -scores[key])[:most]
