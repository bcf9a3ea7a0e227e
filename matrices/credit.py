"""What whoever uses a matrix must know of where it is from: encoder, corpora, licences, and how to cite it."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version

import pyarrow.compute as pc

from matrices.reading import CorpusCredit, Reader

KEY = b"sprachbund"
"""Of a file's metadata: ``Credit`` as JSON."""
_IMPORTED = "imported from "
_NON_COMMERCIAL = re.compile(r"\bNC\b|non-?commercial", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Credit:
    """Where the numbers of a matrix come from. ``corpora`` is None where the store does not say."""

    matrix: str
    version: int
    encoder: str
    kind: str
    task: str
    metric: str
    corpora: tuple[CorpusCredit, ...] | None
    non_commercial: bool | None
    """Whether a corpus may not be used commercially; None where the corpora are not known."""
    imported_from: str | None
    citation: str
    software: str


def credit(reader: Reader, matrix: str, at: int | None = None) -> Credit:
    """The credit of a matrix at a version, or the newest. Raises ``UnknownMatrixError`` and ``UnknownVersionError``."""
    cells = reader.cells(matrix, version=at, columns=["encoder", "kind", "task", "metric", "device"])
    first = {name: cells[name][0].as_py() for name in ("encoder", "kind", "task", "metric")}
    newest = reader.version if at is None else at
    imported = [name for name in pc.unique(cells["device"]).to_pylist() if name.startswith(_IMPORTED)]
    origin = "; ".join(sorted(name.removeprefix(_IMPORTED) for name in imported)) or None
    corpora = None if reader.provenance is None else reader.provenance.corpora
    made = f"{matrix}, version {newest}, {software()}"
    return Credit(
        matrix=matrix,
        version=newest,
        **first,
        corpora=corpora,
        non_commercial=None if corpora is None else any(non_commercial(one.licence) for one in corpora),
        imported_from=origin,
        citation=f"{origin}. {made}" if origin else made,
        software=software(),
    )


def non_commercial(licence: str) -> bool:
    """Whether a licence, as its authors state it, keeps to non-commercial use."""
    return _NON_COMMERCIAL.search(licence) is not None


def metadata(credit: Credit) -> dict[bytes, bytes]:
    """The credit as an Arrow schema, and so a Parquet or Arrow file, keeps it."""
    return {KEY: json.dumps(asdict(credit), ensure_ascii=False, sort_keys=True).encode()}


@cache
def software() -> str:
    """This package and its version."""
    try:
        return f"sprachbund {version('sprachbund')}"
    except PackageNotFoundError:
        return "sprachbund"
