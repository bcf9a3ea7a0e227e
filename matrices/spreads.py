"""By how much imported scores are said to vary: what stood after ± in a published table, kept beside the cells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from matrices.cells import now
from matrices.side_tables import SideTable

SPREADS = SideTable(
    "_spreads",
    pa.schema(
        [
            pa.field("matrix", pa.string(), nullable=False),
            pa.field("source", pa.string(), nullable=False),
            pa.field("target", pa.string(), nullable=False),
            pa.field("seed", pa.int32(), nullable=False),
            pa.field("spread", pa.float64(), nullable=False),
            pa.field("created_at", pa.timestamp("us", tz="UTC"), nullable=False),
        ]
    ),
)


@dataclass(frozen=True, slots=True)
class Spread:
    """What a score of one pair and seed is said to vary by, in the unit of the score: a standard deviation or error."""

    source: str
    target: str
    seed: int
    spread: float


def read_spreads(store: str, options: Mapping[str, str], matrix: str) -> dict[tuple[str, str, int], float]:
    """The spreads of a matrix by source, target and seed; what was written last counts. None where none was stated."""
    rows = SPREADS.rows(store, options)
    rows = rows.filter(pc.equal(rows["matrix"], matrix))
    return {(row["source"], row["target"], row["seed"]): row["spread"] for row in rows.to_pylist()}


def write_spreads(store: str, options: Mapping[str, str], matrix: str, spreads: Sequence[Spread]) -> None:
    """Keeps spreads of a matrix's scores in one commit, those that are not there already."""
    if not spreads:
        return
    there = read_spreads(store, options, matrix)
    new = [one for one in spreads if there.get((one.source, one.target, one.seed)) != one.spread]
    moment = now()
    SPREADS.append(
        store,
        options,
        [
            {
                "matrix": matrix,
                "source": one.source,
                "target": one.target,
                "seed": one.seed,
                "spread": one.spread,
                "created_at": moment,
            }
            for one in new
        ],
    )
