"""A small grid to draw: every language on itself and on the others, but for one pair that nobody measured."""

from __future__ import annotations

from matrices.grid import ScoreGrid


def grid_of(codes: tuple[str, ...], *, items: tuple[int, int]) -> ScoreGrid:
    """Languages ``codes`` on each other, Finnish on German missing; the fewest and most ``items`` of a target."""
    pairs = [(one, other) for one in codes for other in codes if (one, other) != ("fin", "deu")]
    return ScoreGrid(
        matrix="pos-zero_shot-tiny",
        encoder="tiny",
        kind="zero_shot",
        task="pos",
        metric="accuracy",
        composition="stack",
        selection="last",
        sources=codes,
        targets=codes,
        scores={pair: 0.9 if len(set(pair)) == 1 else 0.412 for pair in pairs},
        changes={pair: 0.1 if len(set(pair)) == 1 else -0.203 for pair in pairs},
        baseline=dict.fromkeys(codes, 0.333),
        seeds=3,
        items=items,
    )
