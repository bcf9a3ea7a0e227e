"""A matrix as a table of pairs: what an analyst wants of each, without the runs it was computed from."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from scipy.stats import norm

from matrices.arrays import Floats, mean_over_seeds
from matrices.encoders import saw
from matrices.languages import genealogy, name_of
from matrices.reading import Reader
from matrices.scores import standard_errors
from matrices.view import COLUMNS, NoScoresError, view

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
    normal distribution, from the standard error that ``matrices.scores`` gives, null where none is known. ``delta`` is
    the mean less the ``baseline``, the mean of the target's baseline cells. ``seen``: whether the encoder was
    pretrained on the language, null where that is not known. ``composition`` and ``selection`` default as in a
    recommendation. No rows where nothing has a score. Raises ``UnknownMatrixError``.
    """
    try:
        found = view(
            reader.cells(matrix, columns=COLUMNS),
            composition=composition,
            selection=selection,
            items=reader.items(matrix),
        )
    except NoScoresError:
        return SCHEMA.empty_table()
    seeds = found.known.sum(axis=2)
    at = np.nonzero(seeds)
    mean, baseline = found.means[at], found.baseline_means[at[1]]
    errors = standard_errors(found)
    half = np.full(len(mean), np.nan) if errors is None else norm.ppf((1 + LEVEL) / 2) * errors[at]
    pretrained = reader.pretrained(found.encoder)
    about = ("matrix", "task", "metric", "encoder", "composition", "selection")
    columns: dict[str, pa.Array] = {
        **{name: pa.repeat(getattr(found, name), len(mean)) for name in about},
        "mean": pa.array(mean),
        "sd": _known(_spread(found.scores[at])),
        "low": _known(np.clip(mean - half, 0, 1)),
        "high": _known(np.clip(mean + half, 0, 1)),
        "seeds": pa.array(seeds[at]),
        "n_items": pa.array(found.n_items[at[1]]),
        "baseline": _known(baseline),
        "delta": _known(mean - baseline),
    }
    for side, languages, places in (("source", found.sources, at[0]), ("target", found.targets, at[1])):
        codes = [languages[place] for place in places]
        columns[side] = pa.array(codes)
        columns[f"{side}_name"] = pa.array([name_of(code) for code in codes])
        columns[f"{side}_family"] = pa.array([_family(code) for code in codes], pa.string())
        columns[f"{side}_seen"] = pa.array([saw(pretrained, code) for code in codes], pa.bool_())
    made = pa.table({field.name: columns[field.name] for field in SCHEMA}).cast(SCHEMA)
    return made.sort_by([("target", "ascending"), ("mean", "descending"), ("source", "ascending")])


def _spread(scores: Floats) -> Floats:
    """The SD over the seeds measured [pairs, K], NaN of one."""
    known = np.isfinite(scores)
    count = known.sum(axis=1)
    centred = np.where(known, scores - mean_over_seeds(scores)[:, None], 0)
    spread: Floats = np.sqrt((centred**2).sum(axis=1) / np.where(count > 1, count - 1, np.nan))
    return spread


def _known(values: np.ndarray) -> pa.Array:
    return pa.array(values, from_pandas=True)


def _family(code: str) -> str | None:
    known = genealogy(code)
    return known.family if known else None
