"""What single items do to a score: how far it would move, were an item drawn once more.

Notation: a score r = sum_i c_i / sum_i n_i over N items, c ``correct`` and n ``total``. The influence of item i is
(c_i - r n_i) / mean(n): the linearised ratio (Davison and Hinkley 1997, Bootstrap Methods and their Application,
section 2.7.2).
"""

from __future__ import annotations

import numpy as np

from matrices.arrays import Bools, Floats, Singles


def influence(correct: Singles, total: Singles, scores: Floats, known: Bools) -> Singles:
    """The influence of every item on its run's score, ``sum(correct) / sum(total)`` [..., K, N]; 0 of unknown runs.

    ``correct`` and ``total`` [..., K, N], ``scores`` and ``known`` [..., K]; sums to 0 over items. Of a ratio of sums
    (Davison and Hinkley 1997, Bootstrap Methods and their Application, section 2.7.2).
    """
    mean = total.mean(axis=-1, dtype=np.float64)
    per = np.where(known, np.divide(1, mean, out=np.zeros_like(mean), where=mean > 0), 0).astype(np.float32)
    expected = np.where(known, scores, 0).astype(np.float32)
    moved: Singles = (correct - expected[..., None] * total) * per[..., None]
    return moved


def over_seeds(values: Singles, known: Bools) -> Singles:
    """Means over the known seeds of values that are 0 elsewhere [..., K, N] -> [..., N]."""
    count = np.maximum(known.sum(axis=-1), 1).astype(np.float32)
    means: Singles = values.sum(axis=-2) / count[..., None]
    return means
