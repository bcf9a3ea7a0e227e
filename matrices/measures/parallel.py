"""Outcomes on parallel items: the same item on many targets, found by its id.

Notation: S sources, T targets, K seeds, I items of one parallel corpus; x[s, t, k, i] in [0, 1] the success on an item.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from matrices.arrays import Bools, Indices, Singles
from matrices.items import Items
from matrices.uncertainty.resampling import RESAMPLES, ItemSample
from matrices.view import ItemOutcomes, MatrixView, MeasureError


@dataclass(frozen=True, slots=True)
class ParallelGroup:
    """A source and the targets measured with the same seeds on the same items; all of them by place."""

    source: int
    own: int
    """The source's place among the targets."""
    targets: Indices
    seeds: Indices
    items: Indices


@dataclass(frozen=True, eq=False)
class Parallel:
    """S sources on those T targets of a matrix that are on one parallel corpus, of which they have I items; K seeds.

    ``success`` [S, T, K, I] is in [0, 1], 0 where there is none; ``known`` [S, T, K] are the runs that were measured;
    ``present`` [T, I] the items that a target has; ``clusters`` [I] the passage of each item, numbered from 0.
    ``constant`` is how often the constant answer of a ``zero_shot`` matrix is right, the mean over targets; else None.
    """

    matrix: str
    corpus: str
    sources: tuple[str, ...]
    targets: tuple[str, ...]
    success: Singles
    known: Bools
    present: Bools
    clusters: Indices
    constant: float | None
    resamples: int

    @cached_property
    def sample(self) -> ItemSample:
        """Resamples of the items, or of the passages they come in; the same for the whole matrix."""
        entropy = hashlib.sha256(f"{self.matrix}\n{self.corpus}\nparallel items".encode()).digest()
        return ItemSample(self.clusters, self.resamples, int.from_bytes(entropy[:8]))

    def groups(self) -> list[ParallelGroup]:
        """Every (source, target) of two languages of which the source was measured on its own language too.

        Raises ``MeasureError`` where there is none.
        """
        places = {code: at for at, code in enumerate(self.targets)}
        groups = [
            group
            for source, code in enumerate(self.sources)
            if code in places
            for group in self._groups_of(source, places[code])
        ]
        if not groups:
            raise MeasureError(
                f"{self.matrix}: no source was measured on its own language and on another of {self.corpus}, so what "
                "its model can do at home is not known; fill a matrix whose sources are targets too"
            )
        return groups

    def answers(self, group: ParallelGroup) -> tuple[Singles, Singles]:
        """Successes of a group's seeds in the source's own language [K, I] and on its targets [T, K, I]."""
        of_source = self.success[group.source]
        return of_source[group.own, group.seeds], of_source[np.ix_(group.targets, group.seeds)]

    def about(self, group: ParallelGroup) -> dict[str, str | int]:
        """What tables say of every row of a group."""
        return {
            "source": self.sources[group.source],
            "parallel": self.corpus,
            "items": len(group.items),
            "seeds": len(group.seeds),
        }

    def _groups_of(self, source: int, own: int) -> Iterator[ParallelGroup]:
        seeds = self.known[source] & self.known[source, own]
        items = self.present & self.present[own]
        alike: dict[bytes, list[int]] = {}
        for target in range(len(self.targets)):
            if target != own and seeds[target].any() and items[target].any():
                alike.setdefault(seeds[target].tobytes() + items[target].tobytes(), []).append(target)
        for targets in alike.values():
            common = np.flatnonzero(seeds[targets[0]]), np.flatnonzero(items[targets[0]])
            yield ParallelGroup(source, own, np.array(targets), *common)


def parallel(view: MatrixView, *, solved: float | None = None, resamples: int = RESAMPLES) -> Parallel:
    """Outcomes item by item across targets, on the parallel corpus that most of the targets are on.

    A success is 1 where ``correct / total`` of an item is ``solved`` or more and 0 elsewhere; without ``solved`` it is
    that share itself (of a classified text both are 0 or 1). An item with nothing in it to find, where nothing was
    found, is a success. Raises ``MeasureError`` where no two targets share parallel items, or outcomes were not kept.
    """
    columns, items = view.by_item(), view.items
    corpus = _corpus(view)
    on_corpus = [at for at, target in enumerate(view.targets) if target in items and items[target].parallel == corpus]
    for at in on_corpus:
        if len(items[view.targets[at]].ids) != columns[at].items:
            raise MeasureError(
                f"{view.targets[at]}: {columns[at].items} items were scored, and "
                f"{len(items[view.targets[at]].ids)} are named; run the job again with `sprachbund fill`"
            )
    named = [items[view.targets[at]] for at in on_corpus]
    place = {id_: at for at, id_ in enumerate(dict.fromkeys(id_ for each in named for id_ in each.ids))}
    places = [np.array([place[id_] for id_ in each.ids], dtype=np.int64) for each in named]
    known = view.known[:, on_corpus]
    success = np.zeros((*known.shape, len(place)), np.float32)
    present = np.zeros((len(on_corpus), len(place)), np.bool_)
    for target, (at, where) in enumerate(zip(on_corpus, places, strict=True)):
        of_target = _success(columns[at].correct, columns[at].total, solved) * known[:, target, :, None]
        success[:, target, :, where] = np.moveaxis(of_target, -1, 0)
        present[target, where] = True
    return Parallel(
        matrix=view.matrix,
        corpus=corpus,
        sources=view.sources,
        targets=tuple(view.targets[at] for at in on_corpus),
        success=success,
        known=known,
        present=present,
        clusters=_clusters(place, named),
        constant=_constant([columns[at] for at in on_corpus], solved) if view.kind == "zero_shot" else None,
        resamples=resamples,
    )


def _corpus(view: MatrixView) -> str:
    """The parallel corpus that most targets are on."""
    named = [view.items[target].parallel for target in view.targets if target in view.items]
    if not named:
        raise MeasureError(
            f"{view.matrix} does not know which items its targets were scored on; run its job again with "
            "`sprachbund fill`, which keeps their ids and measures nothing twice"
        )
    corpora = Counter(corpus for corpus in named if corpus is not None).most_common(1)
    if not corpora or corpora[0][1] < 2:
        raise MeasureError(
            f"{view.matrix} has no two targets on items of one parallel corpus, which this measure compares item "
            "by item; measure on corpora whose items are translations of one another (`parallel` in corpora.yaml)"
        )
    return corpora[0][0]


def _success(correct: Singles, total: Singles, solved: float | None) -> Singles:
    """Successes of one target's items [S, K, N]."""
    share: Singles = np.divide(correct, total, out=np.ones_like(correct), where=total > 0)
    return share if solved is None else (share >= solved).astype(np.float32)


def _constant(columns: Sequence[ItemOutcomes], solved: float | None) -> float | None:
    """How often the constant answer is right; None where no target has one."""
    means = [
        float(_success(column.baseline_correct[:, :1], column.baseline_total[:, :1], solved).mean())
        for column in columns
        if column.baseline_total.any()
    ]
    return float(np.mean(means)) if means else None


def _clusters(place: Mapping[str, int], named: list[Items]) -> Indices:
    """The passage of each item, by the first target that states it; an item of none is one of its own."""
    passages: dict[str, str] = {}
    for items_of_target in named:
        for id_, passage in zip(items_of_target.ids, items_of_target.passages or (), strict=False):
            passages.setdefault(id_, passage)
    names = [("passage", passages[id_]) if id_ in passages else ("item", id_) for id_ in place]
    numbers = {name: number for number, name in enumerate(dict.fromkeys(names))}
    return np.array([numbers[name] for name in names], dtype=np.int64)
