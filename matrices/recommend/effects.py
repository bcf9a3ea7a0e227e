"""What each source changes against the baseline: as the measure `interference` says, wherever it can be computed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from matrices.measures.catalogue import Settings
from matrices.measures.interference import labels
from matrices.measures.outcomes import MeasureError
from matrices.reading import Reader
from matrices.recommend.answer import Effect
from matrices.recommend.column import Column, Key
from matrices.recommend.uncertainty import Uncertainty

BASELINE_KEY: Key = None

Effects = Mapping[str, Effect]
"""By source, on one target."""


class Measured(Protocol):
    """``matrices.measures.registry.measure``, or the same with a memory."""

    def __call__(self, reader: Reader, matrix: str, what: str, settings: Settings, *, version: int) -> pa.Table:
        """Raises ``MeasureError``."""
        ...


def measured_effects(
    measured: Measured, reader: Reader, matrix: str, target: str, settings: Settings, *, version: int
) -> Effects | None:
    """From the measure `interference` of the whole matrix; None where it cannot be computed, as without outcomes."""
    try:
        table = measured(reader, matrix, "interference", settings, version=version)
    except MeasureError:
        return None
    rows = table.filter(pc.equal(table["target"], target)).to_pylist()
    return {
        row["source"]: Effect(
            difference=row["delta"], interval=(row["low"], row["high"]), verdict=row["label"], q=row["q"]
        )
        for row in rows
    }


def approximate_effects(runs: Column) -> Effects:
    """From one target's runs alone: by the interval of the difference, which is not corrected for how many there are.

    For matrices without outcomes of items, whose intervals are a normal approximation, and too wide. None where it is
    not known on how many items scores are: nothing can then be said of how sure a difference is.
    """
    if BASELINE_KEY not in runs.runs or runs.n_items < 2:
        return {}
    uncertainty = Uncertainty(runs)
    found = {}
    for source in (source for source in runs.runs if source is not None):
        difference = uncertainty.difference(source, BASELINE_KEY)
        half = difference.mean - difference.interval[0]
        (verdict,) = labels(np.array([difference.mean]), np.array([half]), np.zeros(1))
        found[source] = Effect(difference=difference.mean, interval=difference.interval, verdict=verdict, q=None)
    return found
