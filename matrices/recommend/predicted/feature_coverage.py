"""What was known of the pairs a prediction is about, and what was missing: in eight words, whatever the matrix."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from itertools import compress
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from matrices.recommend.answer import FeatureKind, Knowledge
from matrices.recommend.predicted.pair_features import Pairs

FEATURE_KINDS: tuple[FeatureKind, ...] = get_args(FeatureKind)
_KINDS: Mapping[str, FeatureKind] = {
    "genus": "genealogy",
    "family": "genealogy",
    "families": "genealogy",
    "genetic": "genealogy",
    "nearness": "geography",
    "geographic": "geography",
    "featural": "syntax",
    "syntactic": "syntax",
    "phonological": "phonology",
    **{kind: kind for kind in ("syntax", "phonology", "inventory", "script")},
}
"""The kind of each measure of likeness, and of URIEL's distances as published tables name them."""


def knowledge(pairs: Pairs, sources: Sequence[str], target: str, *, pretrained: bool) -> list[Knowledge]:
    """Of every pair the kinds of features that were known, and those that were not, in the order of ``FeatureKind``.

    A kind is known where any feature of it is. What a table states that is no likeness (overlaps, sizes) is of the kind
    ``corpora``. ``pretrained``: whether it is known what the encoder was pretrained on.
    """
    there: dict[FeatureKind, NDArray[np.bool_]] = {kind: np.zeros(len(sources), dtype=bool) for kind in FEATURE_KINDS}
    for name, known in pairs.known(sources, target).items():
        kind = _KINDS.get(name.casefold(), "corpora")
        there[kind] |= known
    there["pretraining"] |= pretrained
    rows = np.stack(list(there.values()), axis=-1).tolist()
    return [_knowledge(tuple(row)) for row in rows]


@cache
def _knowledge(there: tuple[bool, ...]) -> Knowledge:
    return Knowledge(
        known=tuple(compress(FEATURE_KINDS, there)),
        missing=tuple(kind for kind, known in zip(FEATURE_KINDS, there, strict=True) if not known),
    )


def together(ones: Sequence[Knowledge]) -> Knowledge:
    """What is known of any pair, and what of none."""
    known = {kind for one in ones for kind in one.known}
    return Knowledge(
        known=tuple(kind for kind in FEATURE_KINDS if kind in known),
        missing=tuple(kind for kind in FEATURE_KINDS if kind not in known),
    )
