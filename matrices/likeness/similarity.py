"""How alike languages are, by every measure there is, and as coordinates that a linear model can use.

References: Littell et al. 2017 (URIEL and lang2vec); Gower 1966 (principal coordinates); Williams & Seeger 2001
(Nyström's extension).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from matrices.languages import genealogy
from matrices.likeness.typology import VECTORS, available, traits
from matrices.scores import Floats

NEAR = 0.1
"""At this share of half the Earth's circumference (2000 km), closeness has fallen to 1/e."""
_LENGTH_SCALE = 0.2
"""At this cosine distance of syntax, likeness has fallen to 1/e."""


def similarities(ones: Sequence[str], others: Sequence[str]) -> dict[str, Floats]:
    """Measures of likeness [len(ones), len(others)], more is more alike, NaN where either language lacks what it needs.

    ``genus``, ``family`` and ``script``: 1 where shared, else 0. ``families``: cosine of the sets of groups the two
    belong to. ``nearness``: minus the log of the great-circle distance. ``syntax``, ``phonology``, ``inventory``:
    cosine of URIEL's vectors less 1.
    """
    one, other = _side(tuple(ones)), _side(tuple(others))
    same = one.codes[:, None] == other.codes
    family = _equal(one.family, other.family)
    family = np.where(np.isfinite(family), family * (one.related[:, None] | same), np.nan)
    found = {
        "genus": _equal(one.genus, other.genus) * family,
        "family": family,
        "script": _equal(one.script, other.script),
        "families": _overlap(one, other),
        "nearness": _nearness(one.positions, other.positions),
    }
    for part in VECTORS:
        found[part] = _cosine(one.vectors[part], other.vectors[part]) - 1
    return found


Names = NDArray[np.object_]


@dataclass(frozen=True, eq=False)
class _Side:
    """What is known of L languages, as arrays to hold against those of others.

    ``codes``, ``family``, ``genus`` and ``script`` [L], None where not known; ``related`` [L] whether it has relatives;
    ``families`` [L] the groups it belongs to, and ``groups`` [L, G] the same by the places that ``index`` gives them;
    ``positions`` [L, 3] and ``vectors`` [L, ..], zeros where not known.
    """

    codes: Names
    family: Names
    genus: Names
    script: Names
    related: NDArray[np.bool_]
    families: tuple[frozenset[str], ...]
    index: Mapping[str, int]
    groups: Floats
    positions: Floats
    vectors: Mapping[str, Floats]


@lru_cache(maxsize=64)
def _side(codes: tuple[str, ...]) -> _Side:
    """Kept, as one target after another is held against the same sources."""
    kin, known = [genealogy(code) for code in codes], [traits(code) for code in codes]
    families = tuple(one.families for one in known)
    index = {group: at for at, group in enumerate(sorted(frozenset().union(*families)))}
    return _Side(
        codes=np.array(codes, dtype=object),
        family=np.array([None if one is None else one.family for one in kin], dtype=object),
        genus=np.array([None if one is None else one.genus for one in kin], dtype=object),
        script=np.array([one.script for one in known], dtype=object),
        related=np.array([one is not None and one.family != "other" for one in kin], dtype=bool),
        families=families,
        index=index,
        groups=_members(families, index),
        positions=_stacked([one.position for one in known]),
        vectors={part: _stacked([one.vectors.get(part) for one in known]) for part in VECTORS},
    )


def _equal(ones: Names, others: Names) -> Floats:
    a, b = ones[:, None], others
    return np.where((a != None) & (b != None), (a == b).astype(np.float64), np.nan)  # noqa: E711 (elementwise)


def _overlap(one: _Side, other: _Side) -> Floats:
    """The cosine of the sets of groups that languages belong to; NaN where either belongs to none."""
    shared = _members(one.families, other.index) @ other.groups.T
    ones, others = (np.sqrt([float(len(groups)) for groups in side.families]) for side in (one, other))
    lengths = ones[:, None] * others
    cosine: Floats = np.divide(shared, lengths, out=np.full(lengths.shape, np.nan), where=lengths > 0)
    return cosine


def _members(families: Sequence[frozenset[str]], index: Mapping[str, int]) -> Floats:
    rows = np.zeros((len(families), len(index)))
    for row, groups in enumerate(families):
        rows[row, [index[group] for group in groups if group in index]] = 1
    return rows


def _stacked(vectors: Sequence[Floats | None]) -> Floats:
    """Vectors as rows; zeros, which ``_cosine`` takes for missing, where there is none."""
    width = max((len(vector) for vector in vectors if vector is not None), default=0)
    return np.array([np.zeros(width) if vector is None else vector for vector in vectors]).reshape(len(vectors), width)


def _cosine(ones: Floats, others: Floats) -> Floats:
    if not (ones.shape[1] and others.shape[1]):
        return np.full((len(ones), len(others)), np.nan)
    lengths = np.linalg.norm(ones, axis=1)[:, None] * np.linalg.norm(others, axis=1)
    cosine: Floats = np.divide(ones @ others.T, lengths, out=np.full(lengths.shape, np.nan), where=lengths > 0)
    return cosine


def _nearness(ones: Floats, others: Floats) -> Floats:
    arc = np.arccos(np.clip(_cosine(ones, others), -1, 1)) / np.pi
    return -np.log(arc + NEAR / 10)


@lru_cache(maxsize=1024)
def likeness_to(code: str, codes: tuple[str, ...]) -> Mapping[str, Floats]:
    """As ``similarities``, of one language to others [len(codes)]. Kept: much is asked of one target in turn."""
    return {name: values[0] for name, values in similarities((code,), codes).items()}


def kernel(ones: Sequence[str], others: Sequence[str]) -> Floats:
    """How much is to be learned of one language from another [len(ones), len(others)], in [0, 1]; 1 of itself.

    The mean of relation (genus and family; all groups), nearness and syntax, each 0 where it is not known of a pair.
    Without ``lang2vec`` there is no syntax.
    """
    return _kernel(similarities(ones, others), ones, others)


def _kernel(like: Mapping[str, Floats], ones: Sequence[str], others: Sequence[str]) -> Floats:
    parts = [
        (like["genus"] + like["family"]) / 2,
        like["families"],
        np.exp(-(np.exp(-like["nearness"]) - NEAR / 10) / NEAR),
        np.exp(like["syntax"] / _LENGTH_SCALE),
    ]
    # The same parts count for every pair: two languages are as alike in one query as in another.
    mean: Floats = np.mean([np.nan_to_num(part) for part in parts[: len(parts) if available() else 3]], axis=0)
    same = np.array(ones, dtype=object)[:, None] == np.array(others, dtype=object)
    return np.where(same, 1.0, mean)


@lru_cache(maxsize=1024)
def _kernel_to(code: str, codes: tuple[str, ...]) -> Floats:
    """The kernel of one language to others [len(codes)]; several spaces of the same languages ask for it."""
    row: Floats = _kernel({name: values[None] for name, values in likeness_to(code, codes).items()}, (code,), codes)[0]
    return row


@dataclass(frozen=True, eq=False)
class Space:
    """The leading principal coordinates of some languages under ``kernel``; others are placed by Nyström's extension.

    ``places`` [L, K] has one row for each of ``codes``: their inner products are the kernel's best approximation of
    rank K. ``lift`` [L, K] takes a new language's kernel to these languages to its coordinates.
    """

    codes: tuple[str, ...]
    places: Floats
    lift: Floats

    def of(self, codes: Sequence[str]) -> Floats:
        """The coordinates [len(codes), K] of any languages; zeros of one that nothing is known of."""
        at = {code: row for row, code in enumerate(self.codes)}
        new = [code for code in dict.fromkeys(codes) if code not in at]
        extended = {code: _kernel_to(code, self.codes) @ self.lift for code in new}
        return np.stack([extended[code] if code in extended else self.places[at[code]] for code in codes])


def space(codes: Sequence[str], rank: int) -> Space:
    """The space of these languages, of ``rank`` dimensions or as many as they span."""
    codes = tuple(codes)
    values, vectors = np.linalg.eigh(kernel(codes, codes))
    keep = [at for at in np.argsort(-values)[:rank] if values[at] > 1e-9]
    # Eigenvectors have no sign of their own: without one, coordinates would differ between machines.
    vectors = vectors[:, keep] * np.sign(vectors[np.abs(vectors[:, keep]).argmax(axis=0), keep])
    return Space(codes, vectors * np.sqrt(values[keep]), vectors / np.sqrt(values[keep]))
