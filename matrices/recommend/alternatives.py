"""What a ranking of one matrix lacks: other matrices that know more of the target, and relatives nobody measured."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from functools import lru_cache
from weakref import WeakKeyDictionary

import pyarrow as pa
import pyarrow.compute as pc

from matrices.languages import UnknownLanguageError, genealogy, kinship, resolve
from matrices.languoids import speakers, within
from matrices.reading import MatrixInfo, Reader
from matrices.recommend.answer import Elsewhere
from matrices.recommend.names import named
from matrices.view import choose

MOST_MATRICES, MOST_RELATIVES = 3, 10
_KNOWN: WeakKeyDictionary[Reader, dict[tuple[int, str], tuple[frozenset[str], frozenset[str]]]] = WeakKeyDictionary()
_READ = ("composition", "selection", "source", "target", "status", "score")
_OTHER = "other"
"""The family of languages that are not related to each other."""


def elsewhere(
    reader: Reader, version: int, infos: Iterable[MatrixInfo], asked: MatrixInfo, target: str, nearest: int
) -> tuple[Elsewhere, ...]:
    """Up to three matrices that have a score on the target, or a source nearer to it than ``nearest`` (``kinship``).

    Those of the task that was ``asked`` for come first, then those that were measured on it, then by kinship.
    """
    offers = []
    for info in infos:
        if info.matrix == asked.matrix:
            continue
        sources, targets = _languages(reader, version, info.matrix)
        if target in targets or nearest_of(sources, target) > nearest:
            offer = _offer(info, reader.cells(info.matrix, version=version, columns=_READ), target, nearest)
            offers += [offer] if offer is not None else []
    offers.sort(
        key=lambda offer: (offer.task != asked.task, not offer.measured, -kinship(offer.source, target), offer.matrix)
    )
    return tuple(offers[:MOST_MATRICES])


def _languages(reader: Reader, version: int, matrix: str) -> tuple[frozenset[str], frozenset[str]]:
    """The sources and targets of a matrix, looked up once a version: most matrices have nothing for most targets."""
    looked_up = _KNOWN.setdefault(reader, {})
    if (version, matrix) not in looked_up:
        cells = reader.cells(matrix, version=version, columns=("source", "target"))
        sides = (pc.unique(cells[name].drop_null()).to_pylist() for name in ("source", "target"))
        sources, targets = (frozenset(side) for side in sides)
        looked_up[version, matrix] = sources, targets
    return looked_up[version, matrix]


def _offer(info: MatrixInfo, cells: pa.Table, target: str, nearest: int) -> Elsewhere | None:
    transfers = pc.and_(pc.equal(cells["status"], "ok"), pc.not_equal(cells["source"], cells["target"]))
    cells = cells.filter(pc.fill_null(transfers, False))
    if not cells.num_rows:
        return None
    composition, selection = choose(cells, target=target)
    chosen = pc.and_(pc.equal(cells["composition"], composition), pc.equal(cells["selection"], selection))
    cells = cells.filter(chosen)
    on_target = cells.filter(pc.equal(cells["target"], target))
    if on_target.num_rows:
        source, score = _best(on_target)
        return _made(info, source, score)
    # What a source scores on other targets says which of the nearest relatives does best.
    near = {code: kinship(code, target) for code in pc.unique(cells["source"]).to_pylist()}
    closest = max(near.values(), default=0)
    if closest <= nearest:
        return None
    relatives = [code for code, kin in near.items() if kin == closest]
    source, _ = _best(cells.filter(pc.is_in(cells["source"], pa.array(relatives, pa.string()))))
    return _made(info, source, None)


def _best(cells: pa.Table) -> tuple[str, float]:
    means = cells.group_by("source", use_threads=False).aggregate([("score", "mean")]).to_pylist()
    best = max(means, key=lambda mean: (mean["score_mean"], mean["source"]))
    return best["source"], best["score_mean"]


def _made(info: MatrixInfo, source: str, score: float | None) -> Elsewhere:
    return Elsewhere(
        matrix=info.matrix,
        kind=info.kind,
        task=info.task,
        encoder=info.encoder,
        source=source,
        name=named(source).name,
        measured=score is not None,
        score=score,
    )


def nearest_of(sources: Iterable[str], target: str) -> int:
    """How near the nearest of some sources is to a target, as ``kinship`` says; 0 of none that is related."""
    return max((kinship(source, target) for source in sources), default=0)


def unlisted(target: str, listed: Collection[str], labelled: Collection[str] = ()) -> tuple[str, ...]:
    """Up to ten relatives of a target besides those ``listed``, the most promising first.

    Those ``labelled`` (measured as a target: there are labels to learn from) come before others, those of the genus
    before those of the family, and those that more people speak before those that fewer do.
    """
    excluded = {*listed, target}
    relatives = [code for code in dict.fromkeys([*labelled, *_relatives(target)]) if code not in excluded]
    count = speakers()
    of_kin = [code for code in relatives if kinship(code, target)]
    of_kin.sort(key=lambda code: (-kinship(code, target), code not in labelled, -count.get(code, 0), code))
    return tuple(of_kin[:MOST_RELATIVES])


@lru_cache(maxsize=256)
def _relatives(target: str) -> tuple[str, ...]:
    """The most spoken languages of a target's genus, and of its family, each as a question would have it."""
    kin = genealogy(target)
    if kin is None or kin.family == _OTHER:
        return ()
    count = speakers()
    relatives: list[str] = []
    for group in (kin.genus, kin.family):
        spoken = sorted((code for code in within(group) if count.get(code, 0)), key=lambda code: -count[code])
        relatives += [folded for code in spoken[: 2 * MOST_RELATIVES] if (folded := _code(code)) is not None]
    return tuple(dict.fromkeys(relatives))


def _code(code: str) -> str | None:
    try:
        return resolve(code).code
    except UnknownLanguageError:
        return None
