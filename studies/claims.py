"""Whether what is claimed of transfer languages holds in the interference matrices of a store.

    .venv/bin/python studies/claims.py runs/mechanisms/store

The claims are those of Faisal and Anastasopoulos (2024, arXiv:2403.20088): some languages barely affect others;
languages the encoder has not seen help or harm most; no language helps all targets; unseen targets gain from almost
any. Prints Markdown, for each matrix and composition. Sizes of changes are root mean squares, less what the cells' own
uncertainty adds. Seen and unseen languages are compared by 10,000 permutations of which languages are unseen: the
cells of one language are not independent. In-language cells are left out.

The figures in docs/ were first stated in commit 9da5fcd (2026-11-21).
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from matrices.measures.catalogue import MeasureSettings
from matrices.measures.registry import measure
from matrices.reading import compositions
from matrices.store import Store

PERMUTATIONS = 10_000
Numbers = NDArray[Any]
Frame = Any
"""A table or a column of pandas, whose stubs do not tell one from the other."""


def main() -> None:
    """Print what the store says of each claim."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("store")
    arguments.add_argument(
        "--unseen", nargs="+", help="languages the encoder was not pretrained on, where the store does not know"
    )
    given = arguments.parse_args()
    store = Store(given.store)
    for info in store.matrices():
        if info.kind != "interference":
            continue
        print(f"\n## {info.matrix}\n")
        for composition in compositions(store.cells(info.matrix, columns=["composition"])):
            settings = MeasureSettings(composition=composition, unseen=given.unseen and tuple(given.unseen))
            frame = measure(store, info.matrix, "interference", settings).to_pandas()
            if frame["target_unseen"].isna().any():
                arguments.error(f"what the encoder of {info.matrix} was pretrained on is not known: name the --unseen")
            print("\n".join(_lines(composition, frame[frame["source"] != frame["target"]])))


def _lines(composition: str, changes: Frame) -> Iterator[str]:
    points = changes.assign(delta=100 * changes["delta"], sure=changes["label"].isin(["helps", "harms"]))
    error = 100 * (changes["high"] - changes["low"]) / 2 / 1.96
    points = points.assign(square=points["delta"] ** 2 - error**2)
    labels = points["label"].value_counts()
    counts = ", ".join(f"{labels.get(name, 0)} {name}" for name in ("helps", "harms", "neutral", "undecided"))
    yield f"### {composition}\n"
    yield f"{len(points)} pairs of two languages: {counts}. Mean change {points['delta'].mean():+.2f} points.\n"
    yield f"- **Some barely affect others.** {_barely(points)}"
    yield (
        f"- **Unseen languages help or harm most.** {_compared(points, 'source', 'square')} "
        f"Largest help: {_extreme(points, 'helps')}; largest harm: {_extreme(points, 'harms')}."
    )
    yield f"- **No source helps all targets.** {_all_targets(points)}"
    yield (
        f"- **Unseen targets gain from almost any source.** {_compared(points, 'target', 'delta')} "
        f"Share of sources with a change above 0: {_share(points, unseen=True)} on unseen targets, "
        f"{_share(points, unseen=False)} on seen ones.\n"
    )


def _barely(points: Frame) -> str:
    sizes = _size(points.groupby("source")["square"].mean()).sort_values()
    bands = 100 * points[["band_low", "band_high"]].abs().max(axis=1)
    still = bands.groupby(points["source"]).max()
    return (
        f"Size of a source's changes: {sizes.iloc[0]:.2f} points ({sizes.index[0]}) to {sizes.iloc[-1]:.2f} "
        f"({sizes.index[-1]}), median {sizes.median():.2f}. Within a point of 0 on all targets at once: "
        f"{_named(still[still <= 1].index)}. Without a change beyond doubt: {_named(_every(points, ~points['sure']))}."
    )


def _all_targets(points: Frame) -> str:
    counts: Frame = pd.crosstab(points["source"], points["label"]).reindex(columns=["helps", "harms"], fill_value=0)
    best = counts["helps"].idxmax()
    both = counts[(counts["helps"] > 0) & (counts["harms"] > 0)]
    return (
        f"Helping the most targets beyond doubt: {best}, {counts.loc[best, 'helps']} of "
        f"{(points['source'] == best).sum()}. With a change above 0 on every target: "
        f"{_named(_every(points, points['delta'] > 0))}. Helping some and harming others beyond doubt: "
        f"{_named(both.index)}."
    )


def _compared(points: Frame, role: str, value: str) -> str:
    """The mean of a value over unseen and over seen languages, and how often chance would set them as far apart."""
    values = points.groupby(role)[value].mean().to_numpy()
    unseen = points.groupby(role)[f"{role}_unseen"].first().to_numpy(dtype=bool)
    if unseen.all() or not unseen.any():
        return f"There are not both sorts of {role}."
    random = np.random.default_rng(0)
    apart = _apart(values, unseen)
    drawn = np.array([_apart(values, random.permutation(unseen)) for _ in range(PERMUTATIONS)])
    p = (1 + (np.abs(drawn) >= abs(apart) - 1e-12).sum()) / (1 + PERMUTATIONS)
    means = [float(values[which].mean()) for which in (unseen, ~unseen)]
    shown = [f"{_size(pd.Series(means))[at]:.2f}" if value == "square" else f"{means[at]:+.2f}" for at in range(2)]
    return (
        f"{'Size of changes' if value == 'square' else 'Mean change'}: {shown[0]} points over {unseen.sum()} unseen "
        f"{role}s, {shown[1]} over {(~unseen).sum()} seen ones (p = {p:.3f})."
    )


def _apart(values: Numbers, which: Numbers) -> float:
    return float(values[which].mean() - values[~which].mean())


def _size(squares: Frame) -> Frame:
    """Root mean squares, from which the noise was taken: 0 where it accounts for all."""
    return np.sqrt(squares.clip(lower=0))


def _extreme(points: Frame, label: str) -> str:
    found = points[points["label"] == label]
    if found.empty:
        return "none"
    row = found.loc[found["delta"].abs().idxmax()]
    mark = " (unseen)" if row["source_unseen"] else ""
    interval = f"{100 * row['low']:+.1f} to {100 * row['high']:+.1f}"
    return f"{row['source']}{mark} on {row['target']}, {row['delta']:+.1f} ({interval})"


def _share(points: Frame, *, unseen: bool) -> str:
    return f"{(points.loc[points['target_unseen'] == unseen, 'delta'] > 0).mean():.0%}"


def _every(points: Frame, holds: Frame) -> Sequence[str]:
    """The sources of all of whose pairs it holds."""
    every = holds.groupby(points["source"]).all()
    return list(every[every].index)


def _named(codes: Iterable[str]) -> str:
    return ", ".join(codes) or "none"


if __name__ == "__main__":
    main()
