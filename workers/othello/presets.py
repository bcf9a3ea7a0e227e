"""Jobs that need no file: one of minutes on any machine, one of the size that was published."""

from __future__ import annotations

from pathlib import Path

from workers.othello.job import (
    Condition,
    Finetuning,
    Games,
    LaboratoryJob,
    ModelShape,
    Pretraining,
    Probing,
)

_THREE = {
    "naive": Condition(),
    "anchors-4": Condition(anchors=4),
    "unified": Condition(output="unified"),
}


def mini(out: Path) -> LaboratoryJob:
    """Three conditions with one seed on the 4 x 4 board."""
    return LaboratoryJob(out=out, conditions=_THREE, seeds=(0,))


def paper(out: Path) -> LaboratoryJob:
    """The 8 x 8 board with 8 layers of 512 and 20 million games: about 1.6e18 FLOP a run, as published."""
    return LaboratoryJob(
        out=out,
        board=8,
        opening=3,
        games=Games(pretraining=20_000_000, finetuning=102_400),
        model=ModelShape(layers=8, width=512, heads=8),
        pretraining=Pretraining(
            steps=175_000,
            batch=1024,
            learning_rate=5e-4,
            warm_up=2000,
            optimiser="adamw",
            checkpoint_every=2000,
        ),
        finetuning=Finetuning(steps=400, batch=1024),
        probing=Probing(hidden=512, steps=2000, batch=1024),
        conditions={
            **_THREE,
            "split": Condition(types=("atomic", "split")),
            "compositional": Condition(types=("atomic", "compositional")),
            "imbalance": Condition(weights=(0.9, 0.1)),
        },
        seeds=(0, 1, 2),
        gpus_per_worker=1,
        precision="bf16",
    )


PRESETS = {"mini": mini, "paper": paper}
