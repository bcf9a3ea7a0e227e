"""A matrix in outline: what decides which matrix answers a question, before any score is read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from matrices.cells import IMPORTED, OF_SETS
from matrices.nearest import there_is
from matrices.reading import compositions, selections
from matrices.selections import deployable, is_oracle
from matrices.shots import Shots, shots_of
from matrices.view import choose


class UnknownWayError(LookupError):
    """No cells of that encoder, composition or selection that may answer; the message names what there is."""

    def __init__(self, what: str, given: str, known: Sequence[str], why: str = "") -> None:
        self.what, self.given, self.known = what, given, tuple(known)
        reason = f"{given} is no {what} to recommend by: {why}" if why else f"there is no {what} {given!r} here"
        super().__init__(f"{reason}; {there_is(given, known)}")


@dataclass(frozen=True, eq=False)
class Outline:
    """What one matrix holds. ``targets`` are the languages that at least one other was measured on, sorted.

    ``languages`` are all there are, measured or failed; ``imported_from`` says where imported cells came from, as
    ``matrices.published.importing`` does. ``scored`` has a row for each composition, selection and target with a
    source's score.
    """

    matrix: str
    kind: str
    task: str
    metric: str
    encoder: str
    targets: tuple[str, ...]
    languages: frozenset[str]
    compositions: tuple[str, ...]
    selections: tuple[str, ...]
    imported_from: str | None
    scored: pa.Table
    sets: pa.Table
    """The cells of several sources together."""
    with_shots: frozenset[str]
    """The targets that something was learned on labelled items of."""

    def must_have(self, composition: str | None, selection: str | None) -> None:
        """Raises ``UnknownWayError`` where one is given that no cell has, or that was chosen by labels of targets."""
        for what, given, offered in (
            ("composition", composition, self.compositions),
            ("selection", selection, self.selections),
        ):
            if given is not None and given not in offered:
                raise UnknownWayError(what, given, offered)
        if selection is not None and is_oracle(selection):
            why = "its weights were chosen by labels of the target, which nobody has who needs a recommendation"
            raise UnknownWayError("selection", selection, deployable(self.selections), why)

    def choose(self, composition: str | None, selection: str | None, target: str | None = None) -> tuple[str, str]:
        """The composition and selection that a target is answered from, as ``matrices.view.choose`` says."""
        return choose(self.scored, composition=composition, selection=selection, target=target)

    def shots(self, target: str, composition: str, selection: str, read: Callable[[str], pa.Table]) -> Shots | None:
        """What labelled items of a target add, from its cells with outcomes; None where that was not measured."""
        if target not in self.with_shots:
            return None
        cells = read(target)
        has_outcomes = "correct" in cells.column_names
        return shots_of(cells, target, composition=composition, selection=selection) if has_outcomes else None


_WAYS = ["composition", "selection", "target", "status"]


def outline(cells: pa.Table) -> Outline:
    """The outline of the cells of one matrix, of which there is at least one."""
    ok = cells.filter(pc.equal(cells["status"], "ok"))
    scored = ok.filter(pc.is_valid(ok["source"]))
    of_others = scored.filter(pc.not_equal(scored["source"], scored["target"]))
    ways = scored.select(_WAYS).group_by(_WAYS, use_threads=False).aggregate([])
    return Outline(
        **{name: cells[name][0].as_py() for name in ("matrix", "kind", "task", "metric", "encoder")},
        targets=tuple(sorted(pc.unique(of_others["target"]).to_pylist())),
        languages=frozenset(
            code for name in ("source", "target") for code in pc.unique(cells[name].drop_null()).to_pylist()
        ),
        compositions=tuple(compositions(cells)),
        selections=tuple(selections(cells)),
        imported_from=_origin(cells),
        # Each way of a target has some source; which does not matter.
        scored=ways.append_column("source", pa.repeat("any", ways.num_rows)),
        sets=ok.filter(pc.is_in(ok["composition"], pa.array(OF_SETS))),
        with_shots=frozenset(_with_shots(ok)),
    )


def _with_shots(cells: pa.Table) -> list[str]:
    if "shots" not in cells.column_names:
        return []
    targets: list[str] = pc.unique(cells.filter(pc.greater(cells["shots"], 0))["target"]).to_pylist()
    return targets


def _origin(cells: pa.Table) -> str | None:
    if not {"device", "provenance"} <= {*cells.column_names}:
        return None
    imported = cells.filter(pc.equal(cells["device"], IMPORTED))
    return "; ".join(sorted(filter(None, pc.unique(imported["provenance"]).to_pylist()))) or None
