"""What URIEL knows of a language, read from the data files of ``lang2vec`` where that is installed, never imported.

Importing ``lang2vec`` needs ``pkg_resources``, which setuptools no longer has; its arrays need nothing but NumPy.
URIEL: Littell et al. 2017, "URIEL and lang2vec" (EACL).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from matrices.languages import genealogy
from matrices.languoids import Languoid, languoid, parted
from matrices.scores import Floats

VECTORS = {"syntax": "S_", "phonology": "P_", "inventory": "INV_"}
"""The parts of a typological vector, and how URIEL's features of each begin."""

_INDIVIDUAL = {"hyw": "hye"}
"""Varieties that URIEL does not tell apart from their neighbour."""


@dataclass(frozen=True, eq=False, slots=True)
class Traits:
    """What is known of one language without measuring or reading it; None, or no families, where nothing is.

    ``families`` are all groups it belongs to, of any depth; ``position`` is the unit vector of a point on the globe;
    ``vectors`` hold URIEL's features by part, its own predictions where no source describes the language.
    """

    families: frozenset[str]
    script: str | None
    position: Floats | None
    vectors: Mapping[str, Floats]


def available() -> bool:
    """Whether ``lang2vec`` is installed: without it there is genealogy and script alone."""
    return _folder() is not None


@cache
def traits(code: str) -> Traits:
    """The traits of a language by ISO 639-3 code; of one that no database knows (a generated language) none."""
    known = languoid(code)
    if known is None:
        return Traits(frozenset(), None, None, {})
    folder = _folder()
    language = parted(code).language
    vectors = {} if folder is None else _vectors(folder, _INDIVIDUAL.get(language, language))
    return Traits(_groups(code, known), known.script, _position(known), vectors)


def _groups(code: str, known: Languoid) -> frozenset[str]:
    """Glottolog's groups above a language, and its family and genus in WALS."""
    kin = genealogy(code)
    own = () if kin is None else (f"family {kin.family}", f"{kin.family} {kin.genus}")
    return frozenset(own) | frozenset(known.lineage or ())


def position(code: str) -> Floats | None:
    """The unit vector of the point on the globe where a language is at home; None where it is not known."""
    known = languoid(code)
    return None if known is None else _position(known)


def _position(known: Languoid) -> Floats | None:
    if known.latitude is None or known.longitude is None:
        return None
    latitude, longitude = np.radians([known.latitude, known.longitude])
    return np.array([np.cos(latitude) * np.cos(longitude), np.cos(latitude) * np.sin(longitude), np.sin(latitude)])


@cache
def _folder() -> Path | None:
    try:
        folder = Path(str(distribution("lang2vec").locate_file("lang2vec/data")))
    except PackageNotFoundError:
        return None
    return folder if (folder / "features.npz").is_file() else None


@dataclass(frozen=True, eq=False, slots=True)
class _Table:
    """What the sources of one of URIEL's tables state: ``values`` at ``places``, which ascend.

    A place is a language's row times the number of ``features``, plus the feature. Of all that sources might state in
    ``features.npz`` they state a fiftieth, so that the whole array would take 88 MB for 4.
    """

    rows: Mapping[str, int]
    features: tuple[str, ...]
    places: NDArray[np.int32]
    values: NDArray[np.float32]

    def means(self, code: str) -> Floats:
        """A language's features, the mean of the sources that state one, NaN where none does. Shape: [features]."""
        width = len(self.features)
        first = self.rows[code] * width
        begin, end = np.searchsorted(self.places, (first, first + width))
        here = slice(begin, end)
        count = np.bincount(self.places[here] - first, minlength=width)
        total = np.bincount(self.places[here] - first, self.values[here], minlength=width)
        means: Floats = np.divide(total, count, out=np.full(width, np.nan), where=count > 0)
        return means.astype(np.float32).astype(np.float64)


@cache
def _table(folder: Path, name: str) -> _Table:
    with np.load(folder / name, allow_pickle=False) as kept:
        rows, features = {str(code): row for row, code in enumerate(kept["langs"])}, tuple(map(str, kept["feats"]))
        data: NDArray[np.float32] = kept["data"]
    stated = np.flatnonzero(data >= 0)  # Below 0 a source is silent.
    return _Table(rows, features, (stated // data.shape[-1]).astype(np.int32), data.ravel()[stated])


@cache
def _order(folder: Path) -> tuple[NDArray[np.int64], Mapping[str, NDArray[np.int64]]]:
    """Where the features of what is stated stand among those that are predicted, and the features of each part."""
    stated, predicted = _table(folder, "features.npz").features, _table(folder, "feature_predictions.npz").features
    at = {feature: place for place, feature in enumerate(predicted)}
    parts = {
        part: np.array([place for place, feature in enumerate(stated) if feature.startswith(prefix)])
        for part, prefix in VECTORS.items()
    }
    return np.array([at[feature] for feature in stated]), parts


def _vectors(folder: Path, code: str) -> dict[str, Floats]:
    """A language's features by part: the mean of the sources that state one, else what URIEL predicts."""
    stated, predicted = _table(folder, "features.npz"), _table(folder, "feature_predictions.npz")
    if code not in stated.rows or code not in predicted.rows:
        return {}
    order, parts = _order(folder)
    own, guess = stated.means(code), predicted.means(code)[order]
    values = np.where(np.isfinite(own), own, guess)
    vectors = {part: values[places] for part, places in parts.items()}
    return {part: vector for part, vector in vectors.items() if np.isfinite(vector).all() and vector.any()}
