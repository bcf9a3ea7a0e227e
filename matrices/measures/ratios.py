"""Transfer as a share of what other training gives: ratios to the source's own score and to the target's own.

Notation: S(s, t) the mean score over seeds of source s on target t, c the constant answer's on t.

- transfer ratio S(s, t) / S(s, s), normalised by row: what goes abroad of what can be done at home
- S(s, t) / S(t, t), normalised by column, the references of Malkin, Limisiewicz and Stanovsky (2022, NAACL)
- (S(s, t) - c) / (S(t, t) - c): the latter above what needs no training
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from matrices.arrays import Floats
from matrices.uncertainty.matrix_bootstrap import MatrixBootstrap, Statistic
from matrices.view import MeasureError


def ratios(joint: MatrixBootstrap) -> pa.Table:
    """A row a (source, target) of two languages, in order of target, then source; of ``zero_shot`` matrices.

    - ``to_source``: S(s, t) / S(s, s), the transfer ratio (normalised by row): how much of what the task adapter can do
      at home it can do abroad.
    - ``to_target``: S(s, t) / S(t, t) (normalised by column): how much of what training on the target gives. Each
      answers a question of its own, and the two rank sources differently.
    - ``above_constant``: (S(s, t) - c) / (S(t, t) - c), c the constant answer.

    All with 95% intervals (``to_source_low``...), null where the reference was not measured or is not above 0. Raises
    ``MeasureError`` for an ``interference`` matrix.
    """
    view = joint.view
    if view.kind != "zero_shot":
        raise MeasureError(f"{view.matrix} is of kind {view.kind}: no source was trained on the task; see interference")
    rows, columns = view.own

    def to_source(scores: Floats, baseline: Floats) -> Floats:
        at_home = np.full(scores.shape[:-1], np.nan)
        at_home[..., rows] = scores[..., rows, columns]
        return _share(scores, at_home[..., None])

    def to_target(scores: Floats, baseline: Floats) -> Floats:
        return _share(scores, native(scores, baseline))

    def above_constant(scores: Floats, baseline: Floats) -> Floats:
        constant = baseline[..., None, :]
        return _share(scores - constant, native(scores, baseline) - constant)

    def native(scores: Floats, baseline: Floats) -> Floats:
        native = np.full_like(baseline, np.nan)
        native[..., columns] = scores[..., rows, columns]
        return native[..., None, :]

    def of_pairs(ratio: Statistic) -> Statistic:
        return lambda scores, baseline: ratio(scores, baseline)[..., sources, targets]

    shown = np.isfinite(view.means)
    shown[rows, columns] = False
    targets, sources = np.nonzero(shown.T)
    table = {
        "source": pa.array([view.sources[at] for at in sources]),
        "target": pa.array([view.targets[at] for at in targets]),
        "score": pa.array(view.means[sources, targets]),
    }
    # One after the other: a number a pair and resample of a large matrix is much to hold once.
    for name, ratio in (("to_source", to_source), ("to_target", to_target), ("above_constant", above_constant)):
        estimates = joint.estimate(of_pairs(ratio))
        for end, values in (("", estimates.value), ("_low", estimates.low), ("_high", estimates.high)):
            table[f"{name}{end}"] = pa.array(values, from_pandas=True)
    return pa.table(table)


def _share(part: Floats, whole: Floats) -> Floats:
    share: Floats = part / np.where(whole > 0, whole, np.nan)
    return share
