"""Other matrices of a store that measured some of the same languages: another task, or another encoder."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np

from matrices.reading import MatrixInfo, Reader
from matrices.scores import Floats, ScoreTable, score_table, scores_of
from matrices.view import NARROW, NoScoresError, view

MOST = 3
"""So many related matrices, those that share most: each is two more features of every pair."""
FEWEST = 20
"""Of so many pairs both matrices must have scores: fewer cannot show whether one tells of the other."""
_SAME = 0.01
"""Of a standard deviation: scores that differ by less are one measurement, rounded in two ways."""


def related_scores(
    reader: Reader, matrix: str, version: int, composition: str | None = None, selection: str | None = None
) -> ScoreTable:
    """The scores of a matrix as ``scores_of`` gives them, with those of ``MOST`` matrices that are related to it.

    Related are matrices of the same kind that measured at least ``FEWEST`` of its pairs, and are no copy of it; under
    the same composition and selection where they have those, else under their usual. They are called by their task, by
    their encoder where it is another, and by their name where that is not enough. Raises ``NoScoresError``,
    ``UnknownMatrixError`` and ``UnknownVersionError``.
    """
    table = scores_of(reader, matrix, version=version, composition=composition, selection=selection)
    infos = {info.matrix: info for info in reader.matrices(version)}
    others: dict[str, ScoreTable] = {}
    shared: dict[str, int] = {}
    for name, info in infos.items():
        if name == matrix or info.kind != infos[matrix].kind:
            continue
        other = _scores(reader, name, version, composition, selection)
        if other is not None:
            ours, theirs = _shared(table, other)
            if len(ours) >= FEWEST and not _copied(ours, theirs):
                others[name], shared[name] = other, len(ours)
    nearest = sorted(others, key=lambda name: (-shared[name], name))[:MOST]
    called = _names(infos[matrix], [infos[name] for name in nearest])
    return replace(table, related={name: others[one] for name, one in zip(called, nearest, strict=True)})


def telling_of(table: ScoreTable, target: str) -> ScoreTable:
    """The table with those of its related matrices alone that have scores of two sources or more on a target.

    What a matrix tells of other targets would make a model surer of this one than it can be.
    """
    telling = {name: other for name, other in table.related.items() if _measured(other, target) > 1}
    return table if len(telling) == len(table.related) else replace(table, related=telling)


def _measured(table: ScoreTable, target: str) -> int:
    if target not in table.targets:
        return 0
    return int(np.isfinite(table.without_selves().scores[:, table.targets.index(target)]).sum())


def _scores(
    reader: Reader, matrix: str, version: int, composition: str | None, selection: str | None
) -> ScoreTable | None:
    cells = reader.cells(matrix, version=version, columns=NARROW)
    for wanted in ((composition, selection), (None, None)):
        try:
            return score_table(view(cells, composition=wanted[0], selection=wanted[1]))
        except NoScoresError:
            continue
    return None


def _copied(ours: Floats, theirs: Floats) -> bool:
    """Whether most scores are one and the same: a copy, in which some may have been corrected since."""
    return bool((np.abs(ours - theirs) <= _SAME * ours.std()).mean() > 0.5)


def _shared(one: ScoreTable, other: ScoreTable) -> tuple[Floats, Floats]:
    """The scores of the pairs that both measured, no language with itself."""
    one, other = one.without_selves(), other.without_selves()
    sources = [code for code in one.sources if code in set(other.sources)]
    targets = [code for code in one.targets if code in set(other.targets)]
    ours, theirs = (
        table.scores[np.ix_([table.sources.index(s) for s in sources], [table.targets.index(t) for t in targets])]
        for table in (one, other)
    )
    both = np.isfinite(ours) & np.isfinite(theirs)
    return ours[both], theirs[both]


def _names(ours: MatrixInfo, others: list[MatrixInfo]) -> list[str]:
    """What the features of other matrices are called: by what sets them apart."""
    short = [
        f"{one.task} scores" if one.encoder == ours.encoder else f"{one.task} scores of {one.encoder}" for one in others
    ]
    taken = Counter([f"{ours.task} scores", *short])
    return [
        name if taken[name] == 1 else f"{one.task} scores in {one.matrix}"
        for name, one in zip(short, others, strict=True)
    ]
