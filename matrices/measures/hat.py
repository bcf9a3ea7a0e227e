"""hat_r of a matrix (``measures.profile`` has its definition): each source's transfer, adjusted for how hard items are.

Notation, as there: s the source's own language, t the target, K seeds, tau and sigma by bin, w the weights of bins.

The samples of an item are the K seeds of fine-tuned encoders: p_s from the source's own cell, p_t from the cell of that
source on the target, matched by item id. Both cells are of the *same* models, and a seed that puts an item into a bin
must not score it there: it would find its own luck again. So one seed is left out in turn. The others put the items
into K bins (0..K - 1 successes), and the one left out gives tau and sigma. Sums are taken over all K rotations: every
seed is used, and none both sorts an item and scores it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa

from matrices.arrays import Singles
from matrices.measures.parallel import Parallel, ParallelGroup, parallel
from matrices.measures.profile import Numbers, Profile, ProfileSettings, binned, rotations
from matrices.uncertainty.components import LEVEL
from matrices.uncertainty.resampling import RESAMPLES
from matrices.view import MatrixView

SCHEMA = pa.schema(
    [
        *(pa.field(name, pa.string()) for name in ("source", "target", "parallel")),
        *(pa.field(name, pa.int64()) for name in ("items", "seeds")),
        *(pa.field(name, pa.float64()) for name in ("hat_r", "low", "high", "chance", "extrapolated")),
        *(pa.field(name, pa.list_(pa.float64())) for name in ("bin_items", "tau", "sigma")),
        pa.field("refused", pa.string()),
    ]
)


def hat_r_table(
    view: MatrixView,
    *,
    recipe: ProfileSettings | None = None,
    resamples: int = RESAMPLES,
) -> pa.Table:
    """A row a (source, target), source other than target, where both are on one parallel corpus, in that order.

    - ``hat_r``, and ``low``, ``high``: 95% percentile interval over items (passages where there are passages), of these
      seeds. ``chance`` is the c it was made with; ``items`` and ``seeds`` are what the two cells have in common.
    - ``bin_items``, ``tau``, ``sigma`` by bin: items (the mean over rotations), mean target success and self-ceiling.
    - ``extrapolated``: the share of w on bins without items.
    - ``refused``: why there is no hat_r (which is then null with its interval): fewer than two seeds in common, more of
      w extrapolated than ``recipe.most_extrapolated``, or a source that cannot be told from chance.

    In an ``interference`` matrix the models are those of the transfer language under the fixed task adapter. Raises
    ``MeasureError`` where no targets have parallel items, or no source was measured on its own language too.
    """
    recipe = recipe or ProfileSettings()
    cells = parallel(view, solved=recipe.solved, resamples=resamples)
    rows = [row for group in cells.groups() for row in _rows(cells, group, recipe)]
    order = [("source", "ascending"), ("target", "ascending")]
    return pa.Table.from_pylist(rows, schema=SCHEMA).sort_by(order)


def _rows(cells: Parallel, group: ParallelGroup, recipe: ProfileSettings) -> Iterator[dict[str, Any]]:
    chance = recipe.chance if recipe.chance is not None else cells.constant or 0.0
    about = {**cells.about(group), "chance": chance}
    targets = [cells.targets[target] for target in group.targets]
    if len(group.seeds) < 2:
        why = "one seed: items are binned by some seeds and scored by others, so two are needed, and five are better"
        yield from ({**about, "target": target, "refused": why} for target in targets)
        return
    by_item = _by_item(cells, group, recipe)
    profile = Profile(by_item.sum(axis=-1, dtype=np.float64))
    drawn = Profile(cells.sample.totals(by_item)).hat_r(recipe, chance)
    low, high = np.quantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0, method="nearest")
    estimates, extrapolated = profile.hat_r(recipe, chance), float(profile.extrapolated(recipe))
    for at, target in enumerate(targets):
        refused = _refusal(estimates[at], high[at], extrapolated, recipe)
        numbers = {"hat_r": estimates[at], "low": low[at], "high": high[at]} if refused is None else {}
        yield {
            **about,
            **numbers,
            "target": target,
            "extrapolated": extrapolated,
            "bin_items": (profile.counts / len(group.seeds)).tolist(),
            "tau": _nullable(profile.tau[at]),
            "sigma": _nullable(profile.sigma),
            "refused": refused,
        }


def _by_item(cells: Parallel, group: ParallelGroup, recipe: ProfileSettings) -> Numbers:
    """What every item adds to the profile of a group [2 + T, K, I]; nothing where it is not among the group's."""
    own, others = cells.answers(group)
    hardness = rotations(own if recipe.hardness == "source" else _over_languages(cells, group))
    left_out = np.ones(own.shape[-1], np.bool_)
    left_out[group.items] = False
    hardness[:, left_out] = -1
    return binned(hardness, own, others, len(own))


def _over_languages(cells: Parallel, group: ParallelGroup) -> Singles:
    """Success on every item by seed [K, I], the mean over all languages in their own cells."""
    place = {code: at for at, code in enumerate(cells.targets)}
    both = [(row, place[code]) for row, code in enumerate(cells.sources) if code in place]
    rows, columns = np.array(both).T
    scored = cells.known[rows, columns][:, group.seeds]
    paired = scored[:, :, None] & cells.present[columns][:, None]
    success = cells.success[rows, columns][:, group.seeds]
    mean: Singles = success.sum(axis=0) / np.maximum(paired.sum(axis=0), 1).astype(np.float32)
    return mean


def _refusal(estimate: float, high: float, extrapolated: float, recipe: ProfileSettings) -> str | None:
    if extrapolated > recipe.most_extrapolated + 1e-9:
        return (
            f"bins without items carry {extrapolated:.0%} of the weight, more than {recipe.most_extrapolated:.0%}: "
            "the source finds all items about as hard"
        )
    if not np.isfinite(estimate) or not np.isfinite(high):
        return "the source is not told apart from chance on its own language, so there is nothing to transfer"
    return None


def _nullable(numbers: Numbers) -> list[float | None]:
    return [float(number) if np.isfinite(number) else None for number in numbers]
