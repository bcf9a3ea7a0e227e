"""Languages that give and languages that take: donor and recipient scores, and the four types of language.

Notation: S(s, t) the mean score of source s on target t, M[s, t] = S(s, t) / S(t, t).

donor(s) = sum over t of (M[s, t] - 1) and recipient(t) = sum over s of (M[s, t] - 1) (Malkin, Limisiewicz and Stanovsky
2022, "A Balanced Data Approach for Evaluating Cross-Lingual Transfer", NAACL). In an ``interference`` matrix no source
was trained on the task, so M is the score over the baseline instead.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from matrices.arrays import Floats
from matrices.uncertainty.matrix_bootstrap import Estimates, MatrixBootstrap
from matrices.view import MatrixView

TYPES = {
    (True, True): "gives and takes",
    (True, False): "gives",
    (False, True): "takes",
    (False, False): "neither",
}
"""The four types of language by whether it is a donor (donor > 0) and a recipient (recipient > 0)."""


def donors(joint: MatrixBootstrap) -> pa.Table:
    """A row a language, in order of code; null where it is no source, or no target.

    - ``donor``, ``recipient``: the sums above, over the ``given_to`` targets and ``taken_from`` sources measured, the
      language itself left out, with 95% intervals (``donor_low``, ``donor_high``...). Divide to compare languages of
      unlike counts.
    - ``gap``: cross-lingual gap of a source, S(s, s) less its mean over the other targets (of English: Hu et al. 2020,
      XTREME, ICML); null in an ``interference`` matrix.
    - ``type``: ``gives and takes``, ``gives``, ``takes`` or ``neither``, by the signs; ``sure`` where neither interval
      holds 0.
    """
    view = joint.view
    donor = joint.estimate(lambda scores, baseline: _sums(relative(view, scores, baseline), axis=-1))
    recipient = joint.estimate(lambda scores, baseline: _sums(relative(view, scores, baseline), axis=-2))
    measured = np.isfinite(relative(view, view.means, view.baseline_means))
    codes = sorted({*view.sources, *view.targets})
    as_source, as_target = _places(codes, view.sources), _places(codes, view.targets)
    columns = {
        "language": pa.array(codes),
        **_interval("donor", donor, as_source),
        "given_to": _taken(measured.sum(axis=1), as_source),
        **_interval("recipient", recipient, as_target),
        "taken_from": _taken(measured.sum(axis=0), as_target),
        **_interval("gap", joint.estimate(lambda scores, _: _gaps(view, scores)), as_source),
    }
    signs = list(zip(columns["donor"].to_pylist(), columns["recipient"].to_pylist(), strict=True))
    types = [None if None in pair else TYPES[pair[0] > 0, pair[1] > 0] for pair in signs]
    sure = pc.and_kleene(*(_excludes_zero(columns, name) for name in ("donor", "recipient")))
    return pa.table({**columns, "type": pa.array(types, pa.string()), "sure": sure})


def relative(view: MatrixView, scores: Floats, baseline: Floats) -> Floats:
    """M - 1 of every pair of two languages [..., S, T]: the score over what the target has without transfer, less 1."""
    rows, columns = view.own
    reference = baseline
    if view.kind == "zero_shot":
        reference = np.full_like(baseline, np.nan)
        reference[..., columns] = scores[..., rows, columns]
    shares: Floats = scores / np.where(reference > 0, reference, np.nan)[..., None, :] - 1
    shares[..., rows, columns] = np.nan
    return shares


def _gaps(view: MatrixView, scores: Floats) -> Floats:
    """S(s, s) less the mean of the other targets [..., S]; NaN where no task adapter was trained on the source."""
    gaps = np.full(scores.shape[:-1], np.nan)
    if view.kind == "zero_shot":
        rows, columns = view.own
        others = scores.copy()
        others[..., rows, columns] = np.nan
        count = np.isfinite(others).sum(axis=-1)
        means = np.nansum(others, axis=-1) / np.where(count > 0, count, np.nan)
        gaps[..., rows] = scores[..., rows, columns] - means[..., rows]
    return gaps


def _sums(values: Floats, axis: int) -> Floats:
    """Sums of what is not NaN; NaN where nothing is."""
    some = np.isfinite(values).any(axis=axis)
    return np.where(some, np.nansum(values, axis=axis), np.nan)


def _places(codes: Sequence[str], axis: Sequence[str]) -> list[int | None]:
    at = {code: place for place, code in enumerate(axis)}
    return [at.get(code) for code in codes]


def _interval(name: str, estimates: Estimates, places: Sequence[int | None]) -> dict[str, pa.Array]:
    columns = {name: estimates.value, f"{name}_low": estimates.low, f"{name}_high": estimates.high}
    return {of: _taken(values, places) for of, values in columns.items()}


def _taken(values: Floats | NDArray[np.int64], places: Sequence[int | None]) -> pa.Array:
    """Values by place, null where there is no place or no number."""
    return pa.array(values, from_pandas=True).take(pa.array(places, pa.int64()))


def _excludes_zero(columns: Mapping[str, pa.Array], name: str) -> pa.Array:
    return pc.or_kleene(pc.greater(columns[f"{name}_low"], 0), pc.less(columns[f"{name}_high"], 0))
