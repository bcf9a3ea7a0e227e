"""A matrix as a table of pairs: what an analyst wants of each, without the runs it was computed from."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from scipy.stats import norm

from matrices.cells import BASELINE
from matrices.encoders import saw
from matrices.languages import UnknownLanguageError, genealogy, resolve
from matrices.reading import Reader, compositions, selections
from matrices.scores import NoScoresError, scored, scores_of

LEVEL = 0.95

SCHEMA = pa.schema(
    [
        *(pa.field(name, pa.string()) for name in ("matrix", "task", "metric", "encoder", "composition", "selection")),
        *(pa.field(name, pa.string()) for name in ("source", "source_name", "source_family")),
        *(pa.field(name, pa.string()) for name in ("target", "target_name", "target_family")),
        *(pa.field(name, pa.float64()) for name in ("mean", "sd", "low", "high")),
        pa.field("seeds", pa.int64()),
        pa.field("n_items", pa.int64()),
        *(pa.field(name, pa.float64()) for name in ("baseline", "delta")),
        *(pa.field(name, pa.bool_()) for name in ("source_seen", "target_seen")),
    ]
)


def pairs(reader: Reader, matrix: str, composition: str | None = None, selection: str | None = None) -> pa.Table:
    """A row for each source and target with a score (``SCHEMA``), sorted by target, then the highest mean.

    ``mean`` and ``sd`` are over ``seeds`` (the SD null of one); ``low`` and ``high`` a 95% interval of the mean by the
    normal distribution, from the standard error that ``matrices.scores.scores_of`` gives, null where none is known.
    ``delta`` is the mean less the ``baseline``, the mean of the target's baseline cells. ``seen``: whether the encoder
    was pretrained on the language, null where that is not known. ``composition`` and ``selection`` default as in a
    recommendation. No rows where nothing has a score. Raises ``UnknownMatrixError``.
    """
    names = ["matrix", "task", "metric", "encoder", "composition", "selection", "source", "target", "seed", "score"]
    cells = reader.cells(matrix, columns=[*names, "n_items", "status", "created_at"])
    try:
        rows = scored(cells, matrix, composition=composition, selection=selection)
    except NoScoresError:
        return SCHEMA.empty_table()
    composition, selection = compositions(rows)[0], selections(rows)[0]
    table = scores_of(reader, matrix, composition=composition, selection=selection)
    latest = rows.sort_by("created_at").group_by(["source", "target", "seed"], use_threads=False)
    seeds = latest.aggregate([("score", "last"), ("n_items", "last")]).group_by(["source", "target"], use_threads=False)
    # NumPy's ddof of 1 is null of one seed, as it should be.
    sd = pc.VarianceOptions(ddof=1, min_count=2)
    found = seeds.aggregate(
        [("score_last", "mean"), ("score_last", "stddev", sd), ("score_last", "count"), ("n_items_last", "max")]
    )
    half = norm.ppf((1 + LEVEL) / 2) * _errors(found, table.sources, table.targets, table.errors)
    mean = found["score_last_mean"].to_numpy()
    baseline = _baseline(cells, selection)
    at_start = pa.array([baseline.get(code) for code in found["target"].to_pylist()], pa.float64())
    first = {name: cells[name][0].as_py() for name in ("matrix", "task", "metric", "encoder")}
    pretrained = reader.pretrained(first["encoder"])
    columns: dict[str, pa.Array | pa.ChunkedArray] = {
        **{name: pa.repeat(value, found.num_rows) for name, value in first.items()},
        "composition": pa.repeat(composition, found.num_rows),
        "selection": pa.repeat(selection, found.num_rows),
        "mean": found["score_last_mean"],
        "sd": found["score_last_stddev"],
        "low": _known(np.clip(mean - half, 0, 1)),
        "high": _known(np.clip(mean + half, 0, 1)),
        "seeds": found["score_last_count"],
        "n_items": found["n_items_last_max"],
        "baseline": at_start,
        "delta": pc.subtract(found["score_last_mean"], at_start),
    }
    for side in ("source", "target"):
        codes = found[side].to_pylist()
        columns[side] = found[side]
        columns[f"{side}_name"] = pa.array([_name(code) for code in codes])
        columns[f"{side}_family"] = pa.array([_family(code) for code in codes], pa.string())
        columns[f"{side}_seen"] = pa.array([saw(pretrained, code) for code in codes], pa.bool_())
    made = pa.table({field.name: columns[field.name] for field in SCHEMA}).cast(SCHEMA)
    return made.sort_by([("target", "ascending"), ("mean", "descending"), ("source", "ascending")])


def _errors(
    found: pa.Table, sources: tuple[str, ...], targets: tuple[str, ...], errors: np.ndarray | None
) -> np.ndarray:
    if errors is None:
        return np.full(found.num_rows, np.nan)
    rows, columns = ({code: at for at, code in enumerate(codes)} for codes in (sources, targets))
    pairs = zip(found["source"].to_pylist(), found["target"].to_pylist(), strict=True)
    return np.array([errors[rows[source], columns[target]] for source, target in pairs], dtype=np.float64)


def _baseline(cells: pa.Table, selection: str) -> dict[str, float]:
    kept = pc.and_(pc.equal(cells["composition"], BASELINE), pc.equal(cells["status"], "ok"))
    kept = pc.and_(kept, pc.equal(cells["selection"], selection))
    means = cells.filter(kept).group_by("target", use_threads=False).aggregate([("score", "mean")])
    return dict(zip(means["target"].to_pylist(), means["score_mean"].to_pylist(), strict=True))


def _known(values: np.ndarray) -> pa.Array:
    return pa.array(values, from_pandas=True)


def _name(code: str) -> str:
    try:
        return resolve(code).name
    except UnknownLanguageError:
        return code


def _family(code: str) -> str | None:
    known = genealogy(code)
    return known.family if known else None
