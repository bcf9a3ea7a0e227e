"""A laboratory job as one YAML file: a world, a model, conditions and seeds; every knob with its default."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from adapters_zoo.recipes import Positive, Rate, Recipe
from workers.config import read_config
from workers.othello.board import playable, square_name
from workers.othello.languages import LanguageType
from workers.othello.vocabulary import Output, codes

FORMAT = 1
"""Raised when the same job would give other numbers than before; part of every run's key."""

Share = Annotated[float, Field(ge=0, le=1)]
Weight = Annotated[float, Field(gt=0)]


class Games(Recipe):
    """How many games of each kind."""

    pretraining: Positive = Field(50_000, description="that begin with the opening, all languages together")
    finetuning: Positive = Field(20_000, description="whatever they begin with")
    evaluation: Positive = Field(100, description="fresh ones that begin with the opening, and as many that do not")
    probing: Positive = Field(1000, description="that begin with the opening; a fifth of them tests the probes")


class ModelShape(Recipe):
    """The transformer; the defaults have 154,000 parameters on the 4 x 4 board."""

    layers: Positive = 3
    width: Positive = 64
    heads: Positive = 4

    @model_validator(mode="after")
    def _divides(self) -> ModelShape:
        if self.width % self.heads:
            raise ValueError(f"`heads`: {self.heads} does not divide `width`: {self.width}")
        return self


class Pretraining(Recipe):
    """Learning to predict games in all languages."""

    steps: Positive = 800
    batch: Positive = Field(64, description="games in a step")
    learning_rate: Rate = Field(1e-2, description="peak; linear fall to 5%")
    warm_up: Positive = Field(100, description="steps in which the rate rises, linearly")
    optimiser: Literal["muon", "adamw"] = Field("muon", description="muon: for the matrices of the blocks alone")
    checkpoint_every: Positive = Field(250, description="steps between checkpoints, from which a run resumes")


class Finetuning(Recipe):
    """Learning whole games in one language."""

    steps: Positive = 200
    batch: Positive = Field(64, description="games in a step")
    learning_rate: Rate = Field(5e-4, description="AdamW's, constant")
    every: Positive = Field(20, description="steps between evaluations")
    language: str = Field("A", description="the language of the games")


class Probing(Recipe):
    """Fitting a probe."""

    hidden: Positive = Field(64, description="units of the two-layer probe")
    steps: Positive = 200
    batch: Positive = Field(256, description="positions in a step")


class Condition(Recipe):
    """What distinguishes one pretrained model from another."""

    types: Annotated[tuple[LanguageType, ...], Field(min_length=2, max_length=26)] = Field(
        ("atomic", "atomic"), description="how each language says a move; the languages are A, B, ..."
    )
    anchors: Annotated[int, Field(ge=0)] | tuple[str, ...] = Field(
        0, description="moves that all languages say with one word: how many (drawn by the seed), or which (c1, d2)"
    )
    among: tuple[str, ...] | None = Field(None, description="the languages that have the anchors; all by default")
    output: Output = "naive"
    weights: tuple[Weight, ...] | None = Field(None, description="share of each language in pretraining; equal if none")
    common: Share = Field(1.0, description="share of games that every language speaks of; of others one language does")

    @model_validator(mode="after")
    def _one_weight_a_language(self) -> Condition:
        if self.weights is not None and len(self.weights) != len(self.types):
            raise ValueError(f"`weights`: {len(self.weights)} of them for {len(self.types)} languages in `types`")
        if unknown := set(self.among or ()) - set(self.codes):
            raise ValueError(f"`among`: no language {', '.join(sorted(unknown))} beside {', '.join(self.codes)}")
        return self

    @property
    def codes(self) -> tuple[str, ...]:
        """The languages: A, B, ..."""
        return codes(len(self.types))

    @property
    def shares(self) -> tuple[float, ...]:
        """Weight of each language in pretraining."""
        return self.weights or (1.0,) * len(self.types)


class LaboratoryJob(BaseModel):
    """A laboratory job. Relative paths are looked up from the job file's folder."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    out: Path = Field(description="folder of runs, numbers and pictures; all machines of a cluster must see it")
    board: Literal[4, 6, 8] = 4
    opening: Annotated[int, Field(ge=0, le=8)] = Field(
        1, description="moves that all games of pretraining share; other beginnings are held out"
    )
    games: Games = Games()
    model: ModelShape = ModelShape()
    pretraining: Pretraining = Pretraining()
    finetuning: Finetuning = Finetuning()
    probing: Probing = Probing()
    conditions: Annotated[dict[str, Condition], Field(min_length=1)]
    seeds: Annotated[tuple[Annotated[int, Field(ge=0)], ...], Field(min_length=1)] = (0, 1, 2, 3, 4)
    workers: Positive | None = Field(None, description="runs at a time; one a core by default, or one a GPU")
    gpus_per_worker: Annotated[float, Field(ge=0)] = Field(0, description="share of a GPU each run reserves")
    precision: Literal["fp32", "bf16"] = Field("fp32", description="of matrix products; bf16 pays on GPUs alone")

    @field_validator("seeds")
    @classmethod
    def _distinct(cls, seeds: tuple[int, ...]) -> tuple[int, ...]:
        if len(set(seeds)) < len(seeds):
            raise ValueError("stands twice")
        return seeds

    @model_validator(mode="after")
    def _of_this_board(self) -> LaboratoryJob:
        names = [square_name(square, self.board) for square in playable(self.board)]
        for name, condition in self.conditions.items():
            if isinstance(condition.anchors, int):
                if condition.anchors > len(names):
                    problem = f"{condition.anchors} anchors are more than the {len(names)} moves of the board"
                    raise ValueError(f"`conditions`: {name}: {problem}")
            elif unknown := set(condition.anchors) - set(names):
                problem = f"no such move: {', '.join(sorted(unknown))}; moves are {', '.join(names)}"
                raise ValueError(f"`conditions`: {name}: {problem}")
            if self.finetuning.language not in condition.codes:
                problem = f"{name} has the languages {', '.join(condition.codes)}"
                raise ValueError(f"`finetuning`: language {self.finetuning.language}: {problem}")
        return self

    def runs(self) -> list[Run]:
        """All runs, seed by seed, so that a job that is broken off has every condition."""
        return [
            Run(
                board=self.board,
                opening=self.opening,
                games=self.games,
                model=self.model,
                pretraining=self.pretraining,
                finetuning=self.finetuning,
                probing=self.probing,
                precision=self.precision,
                name=name,
                condition=condition,
                seed=seed,
            )
            for seed in self.seeds
            for name, condition in self.conditions.items()
        ]


class Run(Recipe):
    """One condition with one seed: all that decides its numbers, and the name it goes by."""

    board: Literal[4, 6, 8]
    opening: int
    games: Games
    model: ModelShape
    pretraining: Pretraining
    finetuning: Finetuning
    probing: Probing
    precision: Literal["fp32", "bf16"]
    name: str
    condition: Condition
    seed: int

    @property
    def key(self) -> str:
        """Digest of all that decides the numbers: not of the name, nor of how often a checkpoint is written."""
        content = self.model_dump(mode="json", exclude={"name": True, "pretraining": {"checkpoint_every"}})
        text = json.dumps({"format": FORMAT, **content}, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def load_laboratory_job(path: Path) -> LaboratoryJob:
    """Read a job file. Raises ``ConfigError`` naming file, line and the nearest valid key."""
    job = read_config(path, LaboratoryJob)
    return job.model_copy(update={"out": path.parent / job.out})


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
