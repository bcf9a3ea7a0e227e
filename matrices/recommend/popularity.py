"""Which source does best on average over a matrix: the bar any recommendation has to clear."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc


def popularity(cells: pa.Table, target: str, *, composition: str, selection: str) -> dict[str, float]:
    """Mean z-score of each source over the targets other than ``target``; a target's own language is no source of it.

    Scores are averaged over seeds, then standardised among the sources of a target. A source measured on fewer than
    half of those targets is left out: few targets make lucky averages.
    """
    kept = pc.and_(pc.equal(cells["composition"], composition), pc.equal(cells["selection"], selection))
    kept = pc.and_(kept, pc.and_(pc.equal(cells["status"], "ok"), pc.is_valid(cells["source"])))
    kept = pc.and_(kept, pc.and_(pc.not_equal(cells["target"], target), pc.not_equal(cells["target"], cells["source"])))
    rows = cells.select(["source", "target", "score"]).filter(kept)
    means = (
        rows.group_by(["target", "source"])
        .aggregate([("score", "mean")])
        .sort_by([("target", "ascending"), ("source", "ascending")])
    )
    by_target: dict[str, dict[str, float]] = defaultdict(dict)
    for row in means.to_pylist():
        by_target[row["target"]][row["source"]] = row["score_mean"]
    standardised: dict[str, list[float]] = defaultdict(list)
    for scores in by_target.values():
        for source, value in _standardise(scores).items():
            standardised[source].append(value)
    return {
        source: float(np.mean(values)) for source, values in standardised.items() if 2 * len(values) >= len(by_target)
    }


def _standardise(scores: dict[str, float]) -> dict[str, float]:
    values = np.array(list(scores.values()))
    spread = values.std()
    standard = (values - values.mean()) / spread if spread > 0 else np.zeros(len(values))
    return dict(zip(scores, standard.tolist(), strict=True))
