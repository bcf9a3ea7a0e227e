"""How alike languages are, by every measure there is, and as coordinates that a linear model can use."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from matrices.languages import genealogy
from matrices.likeness.typology import VECTORS, traits
from matrices.scores import Floats

NEAR = 0.1
"""At this share of half the Earth's circumference (2000 km), closeness has fallen to 1/e."""
_ALIKE = 0.2
"""At this cosine distance of syntax, likeness has fallen to 1/e."""


def similarities(ones: Sequence[str], others: Sequence[str]) -> dict[str, Floats]:
    """Measures of likeness [len(ones), len(others)], more is more alike, NaN where either language lacks what it needs.

    ``genus``, ``family`` and ``script``: 1 where shared, else 0. ``families``: cosine of the sets of groups the two
    belong to. ``nearness``: minus the log of the great-circle distance. ``syntax``, ``phonology``, ``inventory``:
    cosine of URIEL's vectors less 1.
    """
    kin = [[genealogy(code) for code in codes] for codes in (ones, others)]
    known = [[traits(code) for code in codes] for codes in (ones, others)]
    same = np.array(ones, dtype=object)[:, None] == np.array(others, dtype=object)
    family = _equal(*([None if one is None else one.family for one in side] for side in kin))
    related = np.array([[one is not None and one.family != "other" for one in side] for side in kin[:1]]).T | same
    family = np.where(np.isfinite(family), family * related, np.nan)
    genus = _equal(*([None if one is None else one.genus for one in side] for side in kin))
    found = {
        "genus": genus * family,
        "family": family,
        "script": _equal(*([one.script for one in side] for side in known)),
        "families": _cosine(*_memberships(*([one.families for one in side] for side in known))),
        "nearness": _nearness(*([one.position for one in side] for side in known)),
    }
    for part in VECTORS:
        found[part] = _cosine(*(_stacked([one.vectors.get(part) for one in side]) for side in known)) - 1
    return found


def _equal(ones: Sequence[str | None], others: Sequence[str | None]) -> Floats:
    a, b = np.array(ones, dtype=object)[:, None], np.array(others, dtype=object)
    return np.where((a != None) & (b != None), (a == b).astype(np.float64), np.nan)  # noqa: E711 (elementwise)


def _memberships(ones: Sequence[frozenset[str]], others: Sequence[frozenset[str]]) -> tuple[Floats, Floats]:
    groups = {group: at for at, group in enumerate(sorted(frozenset().union(*ones, *others)))}
    sides = []
    for side in (ones, others):
        rows = np.zeros((len(side), len(groups)))
        for row, of in enumerate(side):
            rows[row, [groups[group] for group in of]] = 1
        sides.append(rows)
    return sides[0], sides[1]


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


def _nearness(ones: Sequence[Floats | None], others: Sequence[Floats | None]) -> Floats:
    arc = np.arccos(np.clip(_cosine(_stacked(ones), _stacked(others)), -1, 1)) / np.pi
    return -np.log(arc + NEAR / 10)


def kernel(ones: Sequence[str], others: Sequence[str]) -> Floats:
    """How much is to be learned of one language from another [len(ones), len(others)], in [0, 1]; 1 of itself.

    The mean of what is known of relation (genus and family; all groups), nearness and syntax; 0 where nothing is.
    """
    like = similarities(ones, others)
    parts = [
        (like["genus"] + like["family"]) / 2,
        like["families"],
        np.exp(-(np.exp(-like["nearness"]) - NEAR / 10) / NEAR),
        np.exp(like["syntax"] / _ALIKE),
    ]
    used = [part for part in parts if np.isfinite(part).any()]
    mean: Floats = np.mean([np.nan_to_num(part) for part in used], axis=0) if used else np.zeros(parts[0].shape)
    same = np.array(ones, dtype=object)[:, None] == np.array(others, dtype=object)
    return np.where(same, 1.0, mean)


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
        extended = dict(zip(new, kernel(new, self.codes) @ self.lift, strict=True)) if new else {}
        return np.stack([extended[code] if code in extended else self.places[at[code]] for code in codes])


def space(codes: Sequence[str], rank: int) -> Space:
    """The space of these languages, of ``rank`` dimensions or as many as they span."""
    codes = tuple(codes)
    values, vectors = np.linalg.eigh(kernel(codes, codes))
    keep = [at for at in np.argsort(-values)[:rank] if values[at] > 1e-9]
    # Eigenvectors have no sign of their own: without one, coordinates would differ between machines.
    vectors = vectors[:, keep] * np.sign(vectors[np.abs(vectors[:, keep]).argmax(axis=0), keep])
    return Space(codes, vectors * np.sqrt(values[keep]), vectors / np.sqrt(values[keep]))
