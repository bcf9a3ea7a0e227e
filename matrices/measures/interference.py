"""Interference: what a transfer language changes in the score of the same task adapter without it.

Notation: l the transfer language, t the target, S a score, C changes of one target.

delta(l, t) = mean over seeds of [S(task adapter with l, on t) - S(same task adapter alone, on t)], and delta / baseline
(Faisal and Anastasopoulos 2024, arXiv:2403.20088, whose tables these are; the formula is written out here). Positive is
transfer, negative interference. In a ``zero_shot`` matrix the baseline is the constant answer.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Literal, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from matrices.arrays import Bools, Floats, Indices, Singles, mean_over_seeds
from matrices.uncertainty.components import LEVEL, Parts, SeedVariance, joined, own_prior, parts, spread, with_adapters
from matrices.uncertainty.influence import influence, over_seeds
from matrices.uncertainty.multiplicity import benjamini_hochberg, max_t
from matrices.uncertainty.resampling import RESAMPLES, ItemSample, Resamples
from matrices.view import ItemOutcomes, MatrixView, MeasureError

Label = Literal["helps", "harms", "neutral", "undecided"]
Numbers = NDArray[Any]

MARGIN = 0.01
"""A change within one point either way is of no practical account."""
RATE = 0.05
"""False discovery rate of the verdicts."""


def interference(
    view: MatrixView,
    *,
    resamples: int = RESAMPLES,
    unseen: Collection[str] | None = None,
    margin: float = MARGIN,
    rate: float = RATE,
) -> pa.Table:
    """A row a (source, target) that was measured beside the baseline, in order of target, then source.

    - ``score``, ``baseline``, ``delta`` and ``relative`` (delta / baseline): means over the ``seeds`` that have both.
    - ``low``, ``high``: 95% interval of delta, paired by item and seed; ``relative_low`` and ``relative_high`` of the
      relative change. Items and seeds both vary in it (``uncertainty.components``).
    - ``p_items``: paired permutation test, the two sides of an item (a passage) exchanged; where no permutation of
      ``resamples`` reaches delta, Hoeffding's bound on the exact p if that is lower. It speaks of these seeds. ``p``:
      the larger of it and the test of the interval, which speaks of other seeds too. ``q``: Benjamini-Hochberg over the
      sources of the target; ``q_matrix``: over the matrix.
    - ``band_low``, ``band_high``: 95% band that holds for all cells at once (max-T over the joint bootstrap).
    - ``label``: ``helps`` or ``harms`` where q <= ``rate`` and the interval excludes 0; ``neutral`` where the interval
      lies within ``margin`` of 0; else ``undecided``. It is what an answer about that target says.
    Other training runs of the language adapters vary in interval, p and label where the view knows how much they do
    (``uncertainty.adapter_runs``); else all this holds for the runs that were measured. Bands and ``relative`` are of
    those runs.

    - ``source_unseen``, ``target_unseen``: whether the language is among ``unseen``, those that the encoder was not
      pretrained on; null where that is not said.

    Raises ``MeasureError`` where there are no outcomes of items, or no baseline.
    """
    samples, seeds = Resamples(view, resamples), SeedVariance(view)
    by_target = [_on_target(view, place, samples) for place in range(len(view.by_item()))]
    cells = {name: np.concatenate([changes.cells[name] for changes in by_target]) for name in by_target[0].cells}
    if not len(cells["delta"]):
        raise MeasureError(f"{view.matrix} has no baseline on the items of its cells; fill its job to the end")
    of_delta = with_adapters(
        spread(joined([changes.of_delta for changes in by_target]), seeds.of_changes), view.adapters
    )
    of_relative = joined([changes.of_relative for changes in by_target])
    reach = spread(of_relative, own_prior(of_relative)).half_width()
    by_seed = np.concatenate([changes.by_seed for changes in by_target]) * of_delta.shrink[:, None]
    deviations = np.concatenate([changes.by_item for changes in by_target], axis=1)
    deviations += (samples.seeds @ by_seed.T).astype(np.float32)
    critical = max_t(deviations, of_delta.error, LEVEL)
    delta, half, relative = cells["delta"], of_delta.half_width(), cells["relative"]
    band = of_delta.joint_half_width(critical)
    p = np.maximum(cells["p_items"], of_delta.p(delta))
    ends = np.cumsum([len(changes.cells["delta"]) for changes in by_target])[:-1]
    q = np.concatenate([benjamini_hochberg(of_target) for of_target in np.split(p, ends)])
    sources = [view.sources[index] for index in cells["source"]]
    targets = [target for target, changes in zip(view.targets, by_target, strict=True) for _ in changes.cells["delta"]]
    return pa.table(
        {
            **{name: [getattr(view, name)] * len(delta) for name in ("matrix", "encoder", "task", "composition")},
            "source": sources,
            "target": targets,
            "source_unseen": _marked(sources, unseen),
            "target_unseen": _marked(targets, unseen),
            "items": cells["items"],
            "seeds": cells["seeds"],
            "score": cells["baseline"] + delta,
            "baseline": cells["baseline"],
            "delta": delta,
            "low": delta - half,
            "high": delta + half,
            "relative": relative,
            "relative_low": relative - reach,
            "relative_high": relative + reach,
            "p_items": cells["p_items"],
            "p": p,
            "q": q,
            "q_matrix": benjamini_hochberg(p),
            "band_low": delta - band,
            "band_high": delta + band,
            "label": labels(delta, half, q, margin, rate),
        }
    )


@dataclass(frozen=True, eq=False)
class TargetChanges:
    """Changes of one target's scores against its baseline [C], by source; columns as in ``interference``."""

    sources: Indices
    delta: Floats
    half: Floats
    q: Floats
    labels: list[Label]


def changes_on(view: MatrixView, target: str, samples: Resamples, seeds: SeedVariance) -> TargetChanges:
    """The changes on one target; no other target is read. Raises ``MeasureError`` where outcomes were not kept."""
    changes = _on_target(view, view.targets.index(target), samples)
    of_delta = with_adapters(spread(changes.of_delta, seeds.of_changes), view.adapters)
    delta, half = changes.cells["delta"], of_delta.half_width()
    q = benjamini_hochberg(np.maximum(changes.cells["p_items"], of_delta.p(delta)))
    return TargetChanges(changes.cells["source"], delta, half, q, labels(delta, half, q))


def sure_pairs(table: pa.Table, rate: float = RATE) -> pa.Table:
    """The rows of ``interference`` that help or harm, promising pairs before harmful ones, the surest size first.

    Of the whole matrix at once: ``q_matrix`` is at most ``rate``. Sorted by how far from 0 the nearer end of the
    interval is: a large change that might be small comes later.
    """
    certain = pc.and_(pc.is_in(table["label"], pa.array(["helps", "harms"])), pc.less_equal(table["q_matrix"], rate))
    sure = table.filter(certain)
    least = pc.min_element_wise(pc.abs(sure["low"]), pc.abs(sure["high"]))
    order = pc.sort_indices(
        pa.table({"label": sure["label"], "least": least}),
        sort_keys=[("label", "descending"), ("least", "descending")],
    )
    return sure.take(order)


@dataclass(frozen=True, eq=False)
class _Deviations:
    """The changes on one target: named numbers [C] of the C sources that have one, and what their spread is had from.

    ``by_seed`` [C, K] are the seeds' changes less their mean, 0 where unknown; ``by_item`` [B, C] the deviations of the
    means under resamples of items.
    """

    cells: dict[str, Numbers]
    of_delta: Parts
    of_relative: Parts
    by_seed: Floats
    by_item: Singles


def _on_target(view: MatrixView, place: int, samples: Resamples) -> _Deviations:
    column, scores, baseline = view.outcomes(view.targets[place]), view.scores[:, place], view.baseline[place]
    if column is None:
        view.by_item()
    assert column is not None
    sample = samples.of(column.target)
    known = np.isfinite(scores) & np.isfinite(baseline) & (column.baseline_total[0].sum(axis=1) > 0)
    rows = np.flatnonzero(known.any(axis=1))
    scores, known = scores[rows], known[rows]
    below = mean_over_seeds(np.where(known, baseline, np.nan))
    delta = mean_over_seeds(np.where(known, scores - baseline, np.nan))
    relative = np.divide(delta, below, out=np.full_like(delta, np.nan), where=below > 0)
    correct, total = column.correct[rows], column.total if len(column.total) == 1 else column.total[rows]
    of_baseline = influence(column.baseline_correct, column.baseline_total, baseline[None], known)
    of_change = influence(correct, total, scores, known) - of_baseline
    by_seed = np.where(known, scores - baseline - delta[:, None], 0)
    # The ratio's deviations, to first order: (delta's - ratio x the baseline's) / baseline.
    ratio, per = np.nan_to_num(relative), 1 / np.where(below > 0, below, np.inf)
    of_relative = (of_change - _singles(ratio)[:, None, None] * of_baseline) * _singles(per)[:, None, None]
    relative_by_seed = (by_seed - ratio[:, None] * np.where(known, baseline - below[:, None], 0)) * per[:, None]
    differences = over_seeds(_differences(column, correct, total, scores, baseline, known), known)
    return _Deviations(
        cells={
            "source": rows,
            "items": np.full(len(rows), column.items),
            "seeds": known.sum(axis=1),
            "baseline": below,
            "delta": delta,
            "relative": relative,
            "p_items": _exchanged(differences, delta, sample),
        },
        of_delta=parts(of_change, by_seed, known, sample),
        of_relative=parts(of_relative, relative_by_seed, known, sample),
        by_seed=by_seed,
        by_item=sample.deviations(over_seeds(of_change, known)),
    )


def _differences(
    column: ItemOutcomes, correct: Singles, total: Singles, scores: Floats, baseline: Floats, known: Bools
) -> Singles:
    """What every item adds to the change of its run [C, K, N]; where both sides have the same totals, just that.

    Of sides with totals of their own (spans), each is measured from the score midway, which is the same for both under
    the hypothesis of no difference. The mean over items is the change.
    """
    middle = (scores + baseline) / 2
    theirs = influence(column.baseline_correct, column.baseline_total, middle, known)
    return influence(correct, total, middle, known) - theirs


def _exchanged(differences: Singles, delta: Floats, sample: ItemSample) -> Floats:
    """Two-sided p-values of a paired permutation test [C].

    Where no permutation drawn is as extreme, Hoeffding's inequality bounds the exact p of all 2^G permutations:
    2 exp(-delta^2 / (2 sum of d_g^2)), d_g the differences' share of delta by cluster (Hoeffding 1963, JASA 58:13).
    """
    drawn = np.abs(sample.flips(differences))
    # Sums in another order differ in their last digits; a permutation that changes nothing is as extreme as delta.
    reached = (drawn >= np.abs(delta).astype(np.float32) * np.float32(1 - 1e-5)).sum(axis=0)
    p = (1 + reached) / (1 + len(drawn))
    shares = sample.sums(differences) / differences.shape[-1]
    squares = np.einsum("cg,cg->c", shares, shares, dtype=np.float64)
    exponent = np.divide(delta**2, 2 * squares, out=np.zeros_like(delta), where=squares > 0)
    bounded: Floats = np.where(reached == 0, np.minimum(p, 2 * np.exp(-exponent)), p)
    return bounded


def labels(delta: Floats, half: Floats, q: Floats, margin: float = MARGIN, rate: float = RATE) -> list[Label]:
    """The label of each change [C], from its interval ``delta`` +- ``half`` and its q-value; see ``interference``."""
    distinct = (q <= rate) & (np.abs(delta) > half)
    small = np.abs(delta) + half <= margin
    labels = np.select(
        [distinct & (delta > 0), distinct & (delta < 0), small], ["helps", "harms", "neutral"], "undecided"
    )
    return cast(list[Label], labels.tolist())


def _marked(codes: list[str], unseen: Collection[str] | None) -> pa.Array:
    return pa.array([None if unseen is None else code in unseen for code in codes], pa.bool_())


def _singles(values: Numbers) -> Singles:
    return values.astype(np.float32)
