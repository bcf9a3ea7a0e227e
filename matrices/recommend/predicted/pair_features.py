"""What is known of a pair of languages, as numbers of one scale: columns for a linear model, in groups.

Notation: S sources, T targets, P columns. References: URIEL (Littell et al. 2017, EACL); normal scores of ranks (van
der Waerden 1952).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from matrices.likeness.similarity import likeness_to, similarities
from matrices.scores import Floats, ScoreTable

_SHARED = ("genus", "family", "script")
_TOPICS = {
    "kinship": ("genus", "family", "families", "genetic"),
    "geography": ("nearness", "geographic"),
    "typology": ("syntax", "phonology", "inventory", "syntactic", "featural", "phonological"),
}
"""Features that say nearly the same share one group: their weights are of one size, to be learned."""
_WORKED_OUT = {
    "genetic": ("families",),
    "geographic": ("nearness",),
    "syntactic": ("syntax",),
    "featural": ("syntax", "phonology", "inventory"),
    "phonological": ("phonology",),
    "inventory": ("inventory",),
}
"""URIEL's distances as published tables name them, and the measures of likeness that say the same of any pair."""
_TIE = 1e-9
"""Values that differ by less are the same: they were rounded or summed in another order."""


@dataclass(frozen=True, eq=False)
class Feature:
    """One feature over the pairs of a table, and the ranks of its values among them.

    ``values`` [S, T] are NaN where missing. ``stated`` has the values of other pairs that a table gives; None for a
    likeness, which is computed for any pair. ``sorted`` are all known values in order, ``columns`` those of each
    target: any other value is ranked among them.
    """

    name: str
    group: str
    values: Floats
    stated: Stated | None
    sorted: Floats
    columns: tuple[Floats, ...]

    @property
    def graded(self) -> bool:
        """Whether it has more than two values, so that ranks say more than the values."""
        return self.name not in _SHARED

    @property
    def ranks_sources(self) -> bool:
        """Whether it tells the sources of a target apart."""
        return self.graded and any(len(column) and column[-1] - column[0] > _TIE for column in self.columns)


@dataclass(frozen=True, eq=False)
class Pairs:
    """The features of a table's pairs; ``of`` gives those of any pairs on the table's scale."""

    sources: tuple[str, ...]
    targets: tuple[str, ...]
    features: tuple[Feature, ...]
    means: Floats
    spreads: Floats

    def known(self, sources: Sequence[str], target: str) -> dict[str, NDArray[np.bool_]]:
        """By feature, whether its value is known for each pair [len(sources)].

        Features that do not vary over the table, and so are no columns, are included.
        """
        like = {name: np.isfinite(values) for name, values in likeness_to(target, tuple(sources)).items()}
        stated = (feature for feature in self.features if feature.stated is not None)
        return like | {feature.name: np.isfinite(self._values(feature, sources, target)) for feature in stated}

    @property
    def names(self) -> list[str]:
        """The names of the columns: a feature, or a feature and how it is ranked among a target's sources."""
        return [name for feature in self.features for name in _columns(feature)]

    @property
    def groups(self) -> list[str]:
        """The group of every column."""
        return [feature.group for feature in self.features for _ in _columns(feature)]

    def of(self, sources: Sequence[str], target: str) -> Floats:
        """Columns [len(sources), P] of pairs with one target, 0 (the mean) where missing.

        Neither source nor target need be of the table: what it states of its own pairs is then missing, and likeness
        is worked out.
        """
        if not self.features:
            return np.empty((len(sources), 0))
        known = np.stack([self._values(feature, sources, target) for feature in self.features], axis=-1)
        reference = [self._reference(feature, target) for feature in self.features]
        raw = np.concatenate(
            [_placed(feature, known[:, at], reference[at]) for at, feature in enumerate(self.features)],
            axis=-1,
        )
        standard = (raw - self.means) / self.spreads
        return np.where(np.isfinite(standard), standard, 0.0)

    def _values(self, feature: Feature, sources: Sequence[str], target: str) -> Floats:
        if feature.stated is not None:
            return feature.stated.of(sources, target)
        values = likeness_to(target, tuple(sources))[feature.name]
        return np.where(np.array(sources, dtype=object) == target, np.nan, values)

    def _reference(self, feature: Feature, target: str) -> Floats:
        if target in self.targets:
            return feature.columns[self.targets.index(target)]
        return _known(self._values(feature, self.sources, target))


def pairs(table: ScoreTable) -> Pairs:
    """The features of a table's pairs: how alike the two languages are, what the table states of them, what their
    texts share.

    A distance of URIEL's that the table states is left out where likeness says the same of all those pairs: it would
    count twice, and of languages that the table lacks half of it would be missing.
    """
    like = _of_table(table.sources, table.targets)
    same = np.array(table.sources, dtype=object)[:, None] == np.array(table.targets, dtype=object)
    features = [_feature(name, values) for name, values in like.items()]
    for name, values in table.pair_features.items():
        stated_of = np.isfinite(values) & ~same
        again = _WORKED_OUT.get(name.casefold(), ())
        if not again or any(np.isnan(like[one][stated_of]).any() for one in again):
            values = np.where(same, np.nan, values)
            features.append(_feature(name, values, Stated(table.sources, table.targets, values)))
    if table.overlaps is not None:
        codes = table.overlaps.codes
        for name, cosines in table.overlaps.cosines.items():
            stated = Stated(codes, codes, cosines)
            values = np.stack([stated.of(table.sources, target) for target in table.targets], axis=-1)
            features.append(_feature(name, np.where(same, np.nan, values), stated))
    features = [feature for feature in features if _varies(feature.values)]
    raw = (
        np.stack(
            [
                np.concatenate(
                    [_placed(feature, feature.values[:, column], feature.columns[column]) for feature in features],
                    axis=-1,
                )
                for column in range(len(table.targets))
            ],
            axis=1,
        )
        if features
        else np.zeros((len(table.sources), len(table.targets), 0))
    )
    finite = np.isfinite(raw)
    count = np.maximum(finite.sum(axis=(0, 1)), 1)
    means = np.where(finite, raw, 0).sum(axis=(0, 1)) / count
    spreads = np.sqrt(np.where(finite, (raw - means) ** 2, 0).sum(axis=(0, 1)) / count)
    spreads = np.where(spreads > _TIE, spreads, np.inf)
    return Pairs(table.sources, table.targets, tuple(features), means, spreads)


def _feature(name: str, values: Floats, stated: Stated | None = None) -> Feature:
    group = next((topic for topic, names in _TOPICS.items() if name.casefold() in names), name)
    columns = tuple(_known(values[:, column]) for column in range(values.shape[1]))
    return Feature(name, group, values, stated, _known(values), columns)


def _columns(feature: Feature) -> list[str]:
    if not feature.ranks_sources:
        return [feature.name]
    places = [feature.name, f"{feature.name}: place", f"{feature.name}: highest"]
    return places if feature.stated is None else [*places, f"{feature.name}: lowest"]


def _placed(feature: Feature, values: Floats, column: Floats) -> Floats:
    """Columns of one feature's values on one target: as they stand or by quantile, and by place among its sources."""
    if not feature.graded:
        return values[:, None]
    quantile: Floats = ndtri(
        np.clip(_share(values, feature.sorted), 0.5 / len(feature.sorted), 1 - 0.5 / len(feature.sorted))
    )
    if not feature.ranks_sources:
        return quantile[:, None]
    place, n = _share(values, column), len(column)
    # The best few differ most: on a log scale, first and second place are as far apart as tenth and twentieth.
    highest, lowest = -np.log((1 - place) * n + 0.5), -np.log(place * n + 0.5)
    parts = [quantile, place, highest] if feature.stated is None else [quantile, place, highest, lowest]
    return np.stack(parts, axis=-1)


def _share(values: Floats, among: Floats) -> Floats:
    """The share of ``among`` (in order) that each value is above, ties counted half; NaN where there is none."""
    if not len(among):
        return np.full(len(values), np.nan)
    below = np.searchsorted(among, values - _TIE, side="left")
    up_to = np.searchsorted(among, values + _TIE, side="right")
    return np.where(np.isfinite(values), (below + up_to) / (2 * len(among)), np.nan)


def _known(values: Floats) -> Floats:
    return np.sort(values[np.isfinite(values)])


def _varies(values: Floats) -> bool:
    finite = values[np.isfinite(values)]
    return len(finite) > 1 and bool(np.ptp(finite) > _TIE)


@lru_cache(maxsize=8)
def _of_table(sources: tuple[str, ...], targets: tuple[str, ...]) -> Mapping[str, Floats]:
    """Likeness of all pairs, none of a language with itself: it would count as a source that is like no other."""
    same = np.array(sources, dtype=object)[:, None] == np.array(targets, dtype=object)
    return {name: np.where(same, np.nan, values) for name, values in similarities(sources, targets).items()}


@dataclass(frozen=True, eq=False)
class Stated:
    """What is stated of the pairs of some sources and targets: ``values`` [S, T], NaN where nothing is."""

    sources: tuple[str, ...]
    targets: tuple[str, ...]
    values: Floats

    def of(self, sources: Sequence[str], target: str) -> Floats:
        """The values [len(sources)] of pairs with one target; NaN of languages it does not have."""
        if target not in self.targets:
            return np.full(len(sources), np.nan)
        column = self.values[:, self.targets.index(target)]
        at = {code: row for row, code in enumerate(self.sources)}
        return np.array([column[at[code]] if code in at else np.nan for code in sources])
