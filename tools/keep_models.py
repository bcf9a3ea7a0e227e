"""Fits the models of the matrices in the box, and keeps their numbers as the package ships them.

    python tools/keep_models.py

Run after `tools/make_box.py`, or after a change to how models are fitted (then raise ``FORMAT`` in
``matrices/recommend/predicted/saved_model.py`` first). Each matrix has a model of an installation with the extra
`typology`, which must be there, and one of an installation without.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from importlib.metadata import PackageNotFoundError
from multiprocessing import get_context
from pathlib import Path
from unittest.mock import patch

from matrices import languoids
from matrices.bundled import boxed
from matrices.languoids import FOLDED
from matrices.likeness import typology
from matrices.recommend import shown_for
from matrices.recommend.predicted import fit
from matrices.recommend.predicted.saved_model import (
    MODELS,
    Arrays,
    arrays_of,
    arrays_of_scores,
    key_of,
    scores_key,
    write_kept,
)
from matrices.scores import ScoreTable, scores_of
from matrices.view import choose

FILE = Path(__file__).parents[1] / "matrices" / "data" / MODELS


def tables() -> Iterator[ScoreTable]:
    """Those of every matrix in the box, as shown for a target that nobody measured and databases know."""
    box = boxed()
    if box is None:
        sys.exit("there is no box; make it with tools/make_box.py")
    for info in box.matrices():
        table = scores_of(box, info.matrix)
        measured = {*table.sources, *table.targets}
        anyone = next(code for code in sorted(languoids.names()) if code not in FOLDED and code not in measured)
        yield shown_for(table, anyone)


def scores() -> dict[str, Arrays]:
    """The scores of every matrix under the composition and selection that are asked of first, by key."""
    box = boxed()
    assert box is not None
    found: dict[str, Arrays] = {}
    for info in box.matrices():
        ways = choose(box.cells(info.matrix, columns=["composition", "selection", "status", "source", "target"]))
        table = scores_of(box, info.matrix, composition=ways[0], selection=ways[1])
        found[scores_key(box.content(info.matrix), *ways)] = arrays_of_scores(table, info.encoder)
    return found


def learned() -> dict[str, Arrays]:
    """What is learned of every table, by key."""
    return {key_of(table): arrays_of(fit(table)) for table in tables()}


def learned_without_typology() -> dict[str, Arrays]:
    """The same as an installation without the extra learns it; of a process that looked nothing up yet."""
    missing = PackageNotFoundError("lang2vec")
    absent = patch.object(typology, "distribution", side_effect=missing)
    with absent, patch.object(languoids, "version", side_effect=missing):
        return learned()


def main() -> None:
    """Write the models and say how large they are."""
    if not typology.available():
        sys.exit("the extra `typology` is missing; pip install 'sprachbund[typology]'")
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
        plain = process.submit(learned_without_typology).result()
    write_kept(scores() | plain | learned(), FILE)
    print(f"{FILE}: {FILE.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
