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


def _load(folder: Path, name: str) -> tuple[dict[str, int], list[str], Floats]:
    with np.load(folder / name, allow_pickle=False) as held:
        return {str(code): at for at, code in enumerate(held["langs"])}, [str(f) for f in held["feats"]], held["data"]


def _vectors(folder: Path, code: str) -> dict[str, Floats]:
    rows, parts = _described(folder)
    if code not in rows:
        return {}
    vectors = {part: values[rows[code]].astype(np.float64) for part, values in parts.items()}
    return {part: vector for part, vector in vectors.items() if np.isfinite(vector).all() and vector.any()}


@cache
def _described(folder: Path) -> tuple[dict[str, int], dict[str, NDArray[np.float32]]]:
    """Every language's row, and features by part: the mean of the sources that state one, else what URIEL predicts."""
    rows, names, data = _load(folder, "features.npz")
    guessed_rows, guessed_names, guesses = _load(folder, "feature_predictions.npz")
    # Sums over the few sources of millions of features: as products, an order of magnitude faster.
    each = np.ones(data.shape[-1], np.float32)
    count, stated = (data >= 0).astype(np.float32) @ each, np.maximum(data, 0) @ each
    own = np.divide(stated, count, out=np.full(count.shape, np.nan, np.float32), where=count > 0)
    there = [code for code in rows if code in guessed_rows]
    # The two files list languages, and features, in orders of their own.
    guess = guesses[[guessed_rows[code] for code in there], :, 0][:, [guessed_names.index(name) for name in names]]
    own = own[[rows[code] for code in there]]
    full = np.where(np.isfinite(own), own, guess).astype(np.float32)
    parts = {part: full[:, [name.startswith(prefix) for name in names]] for part, prefix in VECTORS.items()}
    return {code: at for at, code in enumerate(there)}, parts
