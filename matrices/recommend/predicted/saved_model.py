"""A fitted model as arrays, and back: what took long to learn is kept, and all that follows from it is worked out anew.

Kept are the trees, the sizes of the linear models' priors, the regressions of a target's mean and spread, and the
widths of intervals. Scores, features and posteriors follow from the table. Nothing of it is code.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, BadZipFile, ZipFile, ZipInfo

import numpy as np
from numpy.typing import NDArray

from matrices.languoids import databases
from matrices.reading import Reader
from matrices.recommend.predicted.bayesian_linear import weights
from matrices.recommend.predicted.calibration import Widths, Without
from matrices.recommend.predicted.design_matrix import design
from matrices.recommend.predicted.ensemble import Learned, cells_of, plain_groups
from matrices.recommend.predicted.forest import replanted
from matrices.recommend.predicted.model import Model, fit
from matrices.recommend.predicted.regression_trees import Trees
from matrices.recommend.predicted.stacking import Member, Mixture, products_of
from matrices.recommend.predicted.target_scale import Level, ShrunkRegression, columns, stretch
from matrices.scores import ScoreTable, scores_of
from matrices.snapshot import Snapshot
from matrices.whole_file import whole_file

FORMAT = 2
"""Raised when fitting changes: models kept by an older release are then not those this one would fit."""

MODELS = "models.npz"
"""Those of the matrices in the box, by key: of an installation with the extra ``typology``, and of one without."""
_DAMAGED = (OSError, ValueError, KeyError, EOFError, BadZipFile, zlib.error)

Arrays = Mapping[str, NDArray[Any]]
_TREES = ("features", "thresholds", "below", "above", "cells", "sizes")
_LINES = ("centre", "log_spread")


def key_of(table: ScoreTable) -> str:
    """What a model of a table is kept under: a digest of all it is fitted to, and of how."""
    content = table.without_selves().digest
    return hashlib.sha256(f"{FORMAT} {sorted(databases().items())} {content}".encode()).hexdigest()[:24]


def scores_key(content: str, composition: str, selection: str) -> str:
    """What the scores of a matrix are kept under, by the digest of its content."""
    return hashlib.sha256(f"{FORMAT} {content} {composition} {selection}".encode()).hexdigest()[:24]


def scores_for(reader: Reader, matrix: str, version: int, composition: str, selection: str) -> ScoreTable:
    """As ``matrices.scores.scores_of``: those that ship with the package, where they are of this matrix as it is.

    Standard errors take the outcomes of all its items, which a question about an unmeasured target needs for nothing
    else.
    """
    if isinstance(reader, Snapshot) and version == reader.version:
        arrays = _kept_under(scores_key(reader.content(matrix), composition, selection))
        if arrays:
            return ScoreTable(
                sources=tuple(arrays["sources"].tolist()),
                targets=tuple(arrays["targets"].tolist()),
                scores=arrays["scores"],
                errors=arrays.get("errors"),
                pretrained=reader.pretrained(str(arrays["encoder"])),
                bounds=(float(arrays["bounds"][0]), float(arrays["bounds"][1])),
            )
    return scores_of(reader, matrix, version=version, composition=composition, selection=selection)


def arrays_of_scores(table: ScoreTable, encoder: str) -> dict[str, NDArray[Any]]:
    """A matrix's scores, by name; ``scores_for`` makes the table of them."""
    arrays = {"sources": np.array(table.sources), "targets": np.array(table.targets), "scores": table.scores}
    arrays |= {} if table.errors is None else {"errors": table.errors}
    return arrays | {"encoder": np.array(encoder), "bounds": np.array(table.bounds)}


def model_for(table: ScoreTable) -> Model:
    """The model of a table: that which ships with the package, where it is of this table and these databases, else one
    fitted anew. Both answer alike. Raises ``NothingToPredictError``.
    """
    arrays = _kept_under(key_of(table))
    return model_of(table, arrays) if arrays else fit(table)


def _kept_under(key: str) -> Arrays:
    """The arrays that ship under a key; none of a key that is not there.

    Nor of a file that cannot be read: that costs time alone, as what it says can be learned anew.
    """
    try:
        with np.load(BytesIO(shipped()), allow_pickle=False) as archive:
            names = {name.removeprefix(f"{key}/"): name for name in archive.files if name.startswith(f"{key}/")}
            return {name: archive[within] for name, within in names.items()}
    except _DAMAGED:
        return {}


def write_kept(models: Mapping[str, Arrays], file: Path) -> None:
    """Writes what was learned of tables, by their keys, into one file; the same bytes for the same models."""
    arrays = {f"{key}/{name}": values for key, learned in models.items() for name, values in learned.items()}
    with whole_file(file) as temporary, ZipFile(temporary, "w") as archive:
        for name, values in sorted(arrays.items()):
            about = ZipInfo(f"{name}.npy")  # Of a fixed date.
            about.compress_type = ZIP_DEFLATED
            with archive.open(about, "w") as member:
                np.lib.format.write_array(member, values, allow_pickle=False)


@cache
def shipped() -> bytes:
    """The file of models that comes with the package."""
    return (files("matrices") / "data" / MODELS).read_bytes()


def arrays_of(model: Model) -> dict[str, NDArray[Any]]:
    """What was learned of a table, by name; ``model_of`` makes the model of it."""
    learned, trees = model.learned, model.learned.forest.trees
    members = learned.mixture.members
    arrays: dict[str, NDArray[Any]] = {f"trees.{name}": getattr(trees, name) for name in _TREES}
    arrays["trees.roots"] = trees.roots.astype(np.int32)
    # Children lie near their parents: their distances take less room than their places.
    at = np.arange(len(trees.features), dtype=np.int32)
    for name in ("below", "above"):
        arrays[f"trees.{name}"] = np.where(trees.features >= 0, getattr(trees, name) - at, 0).astype(np.int32)
    arrays |= {"left_out": learned.left_out, "left_out_of_trees": learned.forest.left_out}
    arrays |= {"importance": learned.forest.importance, "noise": np.array(learned.noise)}
    arrays |= {f"without.{part}": getattr(model.without, part) for part in Without.__annotations__}
    arrays["rich"] = np.array([bool(len(member.uses) == len(learned.design.groups)) for member in members])
    arrays["shares"] = np.array([member.share for member in members])
    arrays["noises"] = np.array([member.weights.noise for member in members])
    for number, member in enumerate(members):
        arrays[f"groups.{number}"] = np.array(list(member.weights.variances), dtype=np.str_)
        arrays[f"variances.{number}"] = np.array(list(member.weights.variances.values()))
    for name in _LINES:
        line: ShrunkRegression = getattr(model.level, name)
        arrays |= {f"{name}.{part}": np.asarray(getattr(line, part)) for part in ShrunkRegression.__annotations__}
    arrays |= {f"widths.{part}": np.asarray(getattr(model.widths, part)) for part in Widths.__annotations__}
    arrays["calibration"] = np.array([model.shortlist_mass, model.cost_scale])
    return arrays


def model_of(table: ScoreTable, arrays: Arrays) -> Model:
    """The model that ``fit`` would learn from a table, of what ``arrays_of`` gave of it."""
    table = table.without_selves()
    scaled = columns(table.scores)
    several = np.flatnonzero(np.isfinite(table.scores).sum(axis=0) > 1)
    scale = stretch(scaled.standard)
    stretched = scale.of(scaled.standard)
    made = design(table, stretched)
    cells = cells_of(made, stretched, several)
    parts = {name: arrays[f"trees.{name}"] for name in _TREES}
    for name in ("below", "above"):
        parts[name] = parts[name] + np.arange(len(parts[name]), dtype=np.int32)
    trees = Trees(roots=arrays["trees.roots"].astype(np.int64), scores=cells.scores, **parts)
    products, groups = products_of(cells), made.groups
    members = []
    for number, rich in enumerate(arrays["rich"].tolist()):
        used = groups if rich else plain_groups(groups)
        uses = np.flatnonzero([group is not None for group in used])
        variances = dict(zip(arrays[f"groups.{number}"].tolist(), arrays[f"variances.{number}"].tolist(), strict=True))
        member_weights = weights(
            products.only(uses),
            [group for group in used if group is not None],
            variances,
            float(arrays["noises"][number]),
        )
        members.append(Member(uses, member_weights, float(arrays["shares"][number])))
    forest = replanted(made, scaled.standard, several, trees, arrays["left_out_of_trees"], arrays["importance"])
    lines = {
        name: ShrunkRegression(**{part: _plain(arrays[f"{name}.{part}"]) for part in ShrunkRegression.__annotations__})
        for name in _LINES
    }
    mass, cost = arrays["calibration"].tolist()
    return Model(
        table=table,
        columns=scaled,
        stretch=scale,
        learned=Learned(made, cells, Mixture(tuple(members)), forest, arrays["left_out"], float(arrays["noise"])),
        level=Level(made, table.pretrained, **lines),
        without=Without(*(arrays[f"without.{part}"] for part in Without.__annotations__)),
        widths=Widths(**{part: _plain(arrays[f"widths.{part}"]) for part in Widths.__annotations__}),
        shortlist_mass=mass,
        cost_scale=cost,
    )


def _plain(value: NDArray[Any]) -> Any:
    return value if value.ndim else float(value)
