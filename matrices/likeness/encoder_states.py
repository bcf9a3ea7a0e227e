"""How alike languages are to an encoder: worked out of its states for plain sentences, read without torch.

Only of one encoder: what tells transfer in one may tell the contrary in another.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from matrices.likeness.text import Overlaps
from matrices.scores import Floats

NEIGHBOURS = 10
_FEWEST = 10
"""Of fewer parallel sentences their alignment is chance."""


def likeness_of_states(states: Mapping[str, Floats], parallel: Mapping[str, int] | None = None) -> Overlaps:
    """How alike L languages are, from the states [n, hidden] of n sentences of each; languages in the order given.

    ``state cosine``: of the mean states, less the mean over languages. ``state neighbours`` [other, language]: of the
    ``NEIGHBOURS`` nearest to each sentence of a language, among all sentences of other languages, the share that are
    the other's (as NN-Rank counts them). ``state alignment``: linear centred kernel alignment (Kornblith et al. 2019)
    of sentences that are translations of each other: the first ``parallel`` ones of each language, the same ones of
    all; NaN where there are fewer than ten.
    """
    codes = tuple(states)
    means = np.stack([values.mean(axis=0) for values in states.values()])
    centred = means - means.mean(axis=0)
    cosines = {"state cosine": _cosine(centred, centred), "state neighbours": _neighbours(list(states.values()), means)}
    if parallel is not None:
        shared = [values[: parallel.get(code, 0)] for code, values in states.items()]
        cosines["state alignment"] = _alignments(shared)
    return Overlaps(codes, cosines)


def _neighbours(states: list[Floats], means: Floats) -> Floats:
    """The shares [L, L]: row the language found, column that whose sentences look for neighbours; NaN of itself."""
    middle = means.mean(axis=0)
    owners = np.concatenate([np.full(len(values), at) for at, values in enumerate(states)])
    points = _unit(np.concatenate(states) - middle)
    shares = np.full((len(states), len(states)), np.nan)
    for at in range(len(states)):
        mine = owners == at
        near: NDArray[np.intp] = np.argpartition(-(points[mine] @ points[~mine].T), NEIGHBOURS, axis=1)[:, :NEIGHBOURS]
        counts = np.bincount(owners[~mine][near].ravel(), minlength=len(states)) / near.size
        shares[:, at] = np.where(np.arange(len(states)) == at, np.nan, counts)
    return shares


def _alignments(shared: list[Floats]) -> Floats:
    found = np.full((len(shared), len(shared)), np.nan)
    kept = {at: values for at, values in enumerate(shared) if len(values) >= _FEWEST}
    for one, ours in kept.items():
        for other, theirs in kept.items():
            n = min(len(ours), len(theirs))
            a, b = (values[:n] - values[:n].mean(axis=0) for values in (ours, theirs))
            between, within = np.linalg.norm(a.T @ b) ** 2, np.linalg.norm(a.T @ a) * np.linalg.norm(b.T @ b)
            found[one, other] = between / max(float(within), 1e-12)
    return found


def _cosine(ones: Floats, others: Floats) -> Floats:
    product: Floats = _unit(ones) @ _unit(others).T
    return product


def _unit(values: Floats) -> Floats:
    unit: Floats = values / np.maximum(np.linalg.norm(values, axis=1, keepdims=True), 1e-12)
    return unit
