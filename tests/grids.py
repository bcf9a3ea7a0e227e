"""Small grids to draw."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from matrices.grid import Place, ScoreGrid


def grid_with(scores: Mapping[Place, float], **given: Any) -> ScoreGrid:
    """A grid with these scores, without changes or baselines; ``given`` replaces any field."""
    base = ScoreGrid(
        matrix="pos-zero_shot-tiny",
        encoder="tiny",
        kind="zero_shot",
        task="pos",
        metric="accuracy",
        composition="stack",
        selection="last",
        sources=tuple(sorted({source for source, _ in scores})),
        targets=tuple(sorted({target for _, target in scores})),
        scores=scores,
        changes={},
        baseline={},
        seeds=1,
        items=(10, 10),
    )
    return replace(base, **given)


def grid_of(codes: tuple[str, ...], *, items: tuple[int, int]) -> ScoreGrid:
    """Languages ``codes`` on each other, Finnish on German missing; the fewest and most ``items`` of a target."""
    pairs = [(one, other) for one in codes for other in codes if (one, other) != ("fin", "deu")]
    return grid_with(
        {pair: 0.9 if len(set(pair)) == 1 else 0.412 for pair in pairs},
        sources=codes,
        targets=codes,
        changes={pair: 0.1 if len(set(pair)) == 1 else -0.203 for pair in pairs},
        baseline=dict.fromkeys(codes, 0.333),
        seeds=3,
        items=items,
    )
