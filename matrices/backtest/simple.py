"""The rankings that need no learning: the bar that any other has to clear."""

from __future__ import annotations

import numpy as np

from matrices.languages import kinship
from matrices.recommend.popularity import mean_z_scores
from matrices.scores import Floats, ScoreTable


def random(table: ScoreTable, target: str) -> Floats:
    """Any source is as good as another: the yardstick takes what a method cannot tell apart in random order."""
    return np.zeros(len(table.sources))


def english(table: ScoreTable, target: str) -> Floats:
    """English first, and nothing known of the others; where English is no source it is ``random``."""
    return np.array([float(source == "eng") for source in table.sources])


def popularity(table: ScoreTable, target: str) -> Floats:
    """The mean z-score over the other targets; a source measured on few of them comes last."""
    return mean_z_scores(table, target)


def nearest_family(table: ScoreTable, target: str) -> Floats:
    """The target's genus before its family before all others; within each, nothing is known."""
    return np.array([kinship(source, target) for source in table.sources], dtype=np.float64)


def popular_in_family(table: ScoreTable, target: str) -> Floats:
    """The target's genus before its family before all others; within each, the most popular first."""
    average = mean_z_scores(table, target)
    spread = np.nanmax(np.abs(average), initial=1.0)
    within: Floats = np.nan_to_num(average / spread, nan=-1.5) / 4
    return nearest_family(table, target) + within
