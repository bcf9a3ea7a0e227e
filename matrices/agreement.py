"""Two matrices of the same languages held together: do they choose the same sources?

So asked of two methods, it says whether the cheap one can choose for the dear one. Agreement is held against what seeds
alone leave of it: two runs of one method do not agree wholly either.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
from scipy.stats import rankdata

from matrices.arrays import Floats, Interval
from matrices.scores import ScoreTable, score_table
from matrices.uncertainty.resampling import RESAMPLES
from matrices.view import MatrixView

LEAST = 3
"""Sources a target must have in both matrices: of two there is hardly a rank to agree on."""


class NothingInCommonError(ValueError):
    """Two matrices without a target that both measured from three sources or more."""


@dataclass(frozen=True, slots=True)
class TargetAgreement:
    """One target. ``agreement`` is Spearman's rank correlation of its ``sources`` sources, itself left out.

    Its interval resamples sources; it is None where all of a matrix's scores are alike. ``regret`` is the second
    matrix's best score less its score of the source that is best in the first, both in [0, 1].
    """

    target: str
    sources: int
    agreement: float | None
    interval: Interval | None
    first_chooses: str
    second_chooses: str
    regret: float


@dataclass(frozen=True, slots=True)
class Agreement:
    """All targets. Means over targets, whose intervals resample targets.

    ``same_choice`` is the share of targets with the same best source; ``between_seeds`` the mean rank correlation of
    the second matrix's single seeds with one another: None of one seed. ``single_seeds`` is that of single seeds of the
    first with single seeds of the second, which is what ``between_seeds`` bounds.
    """

    targets: tuple[TargetAgreement, ...]
    agreement: float
    interval: Interval
    same_choice: float
    regret: float
    regret_interval: Interval
    single_seeds: float
    between_seeds: float | None


def agreement(first: MatrixView, second: MatrixView, *, resamples: int = RESAMPLES, seed: int = 0) -> Agreement:
    """How two matrices agree.

    What only one of the two measured is left out. Raises ``NothingInCommonError``.
    """
    rng = np.random.default_rng(seed)
    ours, theirs = (score_table(view).without_selves() for view in (first, second))
    targets = tuple(_on_target(*common, rng, resamples) for common in _in_common(ours, theirs))
    if not targets:
        raise NothingInCommonError(f"no target was measured from {LEAST} of the same sources in both matrices")
    known = np.array([one.agreement for one in targets if one.agreement is not None])
    regrets = np.array([one.regret for one in targets])
    return Agreement(
        targets=targets,
        agreement=float(known.mean()) if known.size else float("nan"),
        interval=_interval(known, rng, resamples),
        same_choice=float(np.mean([one.first_chooses == one.second_chooses for one in targets])),
        regret=float(regrets.mean()),
        regret_interval=_interval(regrets, rng, resamples),
        single_seeds=_mean([_correlation(one, other) for one in _by_seed(first) for other in _by_seed(second)]) or 0.0,
        between_seeds=_mean([_correlation(one, other) for one, other in combinations(_by_seed(second), 2)]),
    )


def _in_common(first: ScoreTable, second: ScoreTable) -> list[tuple[str, list[str], Floats, Floats]]:
    """Targets with the sources that both measured, and their scores in either."""
    found = []
    rows = [code for code in first.sources if code in second.sources]
    of_first, of_second = ([table.sources.index(code) for code in rows] for table in (first, second))
    for target in first.targets:
        if target not in second.targets:
            continue
        one = first.scores[of_first, first.targets.index(target)]
        other = second.scores[of_second, second.targets.index(target)]
        there = np.isfinite(one) & np.isfinite(other)
        if there.sum() >= LEAST:
            sources = [code for code, is_there in zip(rows, there, strict=True) if is_there]
            found.append((target, sources, one[there], other[there]))
    return found


def _on_target(
    target: str, sources: list[str], first: Floats, second: Floats, rng: np.random.Generator, resamples: int
) -> TargetAgreement:
    found = _spearman(first[None], second[None])[0]
    drawn = rng.integers(len(sources), size=(resamples, len(sources)))
    resampled = _spearman(first[drawn], second[drawn])
    resampled = resampled[np.isfinite(resampled)]
    low, high = np.percentile(resampled, (2.5, 97.5)) if resampled.size else (np.nan, np.nan)
    chosen, best = int(first.argmax()), int(second.argmax())
    return TargetAgreement(
        target=target,
        sources=len(sources),
        agreement=float(found) if np.isfinite(found) else None,
        interval=(float(low), float(high)) if np.isfinite(found) else None,
        first_chooses=sources[chosen],
        second_chooses=sources[best],
        regret=float(second[best] - second[chosen]),
    )


def _spearman(first: Floats, second: Floats) -> Floats:
    """Rank correlations of rows [n, sources]; NaN where a row is constant. Equal scores share their mean rank."""
    one, other = (rankdata(values, axis=1) for values in (first, second))
    one, other = (ranks - ranks.mean(1, keepdims=True) for ranks in (one, other))
    with np.errstate(invalid="ignore", divide="ignore"):
        correlations: Floats = (one * other).sum(1) / np.sqrt((one**2).sum(1) * (other**2).sum(1))
    return correlations


def _by_seed(view: MatrixView) -> list[ScoreTable]:
    tables = (ScoreTable(view.sources, view.targets, view.scores[:, :, seed]) for seed in range(len(view.seeds)))
    return [table.without_selves() for table in tables]


def _correlation(first: ScoreTable, second: ScoreTable) -> float | None:
    """The mean rank correlation of two tables' targets, where any has one."""
    found = [_spearman(one[None], other[None])[0] for _, _, one, other in _in_common(first, second)]
    return _mean([float(value) for value in found if np.isfinite(value)])


def _mean(values: list[float] | list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None


def _interval(values: Floats, rng: np.random.Generator, resamples: int) -> Interval:
    if not values.size:
        return float("nan"), float("nan")
    means = values[rng.integers(values.size, size=(resamples, values.size))].mean(1)
    low, high = np.percentile(means, (2.5, 97.5))
    return float(low), float(high)
