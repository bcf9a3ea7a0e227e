"""A landscape job as one YAML file: pairs of languages, how they are learnt, and the points that are measured."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictStr, ValidationInfo, field_validator, model_validator

from adapters_zoo.recipes import LowRankRecipe, Method, Positive, TaskAdapterRecipe, TaskRecipe, TunedRecipe
from workers.config import read_config
from workers.job import Seed
from workers.job_settings import EncoderReference, EvaluationSettings, LanguageCode

RANDOM = "random"
"""The second axis of a surface that is no language's."""


class Surface(BaseModel):
    """A plane through a source's solution: one axis leads to that of ``target`` and the source, one elsewhere."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    source: LanguageCode
    target: LanguageCode
    axis: LanguageCode | Literal["random"] = Field(
        RANDOM, description="the language whose solution the second axis leads to, or `random`"
    )
    seed: Seed = 0
    along: Annotated[tuple[float, ...], Field(min_length=2)] = (-0.5, 0, 0.5, 1, 1.5)
    across: Annotated[tuple[float, ...], Field(min_length=2)] = (-0.5, 0, 0.5, 1, 1.5)


class LandscapeJob(BaseModel):
    """A landscape job. Relative paths are looked up from the job file's folder."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    out: Path = Field(description="folder of runs, numbers and pictures")
    encoder: EncoderReference
    corpora: Path
    task: StrictStr
    pairs: Annotated[
        dict[LanguageCode, Annotated[tuple[LanguageCode, ...], Field(min_length=1)]], Field(min_length=1)
    ] = Field(description="source: its targets, each of which needs train data")
    seeds: Annotated[tuple[Seed, ...], Field(min_length=1)] = (0, 1, 2, 3, 4)
    alphas: Annotated[tuple[float, ...], Field(min_length=3)] = Field(
        (-0.5, -0.25, 0, 0.25, 0.5, 0.75, 1, 1.25, 1.5),
        description="points of the line: 0 is the source's solution, 1 that of both languages",
    )
    surfaces: tuple[Surface, ...] = ()
    method: Method = "bottleneck"
    task_adapter: TaskAdapterRecipe = TaskAdapterRecipe()
    lora: LowRankRecipe = LowRankRecipe()
    full: TunedRecipe = TunedRecipe()
    head_seed: Seed = Field(1000, description="of the run whose head all others keep, frozen")
    snapshots: Positive = Field(10, description="weights of a source's run, evenly spaced, that its means are made of")
    evaluation: EvaluationSettings = EvaluationSettings()
    min_items: Positive = Field(20, description="a split with fewer items is an error before any training")
    precision: Literal["auto", "fp32", "bf16"] = Field("auto", description="auto: bf16 where the hardware has it")

    @field_validator("seeds", "alphas")
    @classmethod
    def _distinct(cls, values: tuple[float, ...]) -> tuple[float, ...]:
        if len(set(values)) < len(values):
            raise ValueError("stands twice")
        return values

    @field_validator("alphas")
    @classmethod
    def _hold_what_is_told(cls, alphas: tuple[float, ...]) -> tuple[float, ...]:
        nearest = min((alpha for alpha in alphas if alpha > 0), default=None)
        if not {0, 1} <= set(alphas) or nearest is None or -nearest not in alphas:
            raise ValueError("must hold 0, 1, and the least one above 0 below it too (0.25 and -0.25): the slope at 0")
        return tuple(sorted(alphas))

    @field_validator("pairs")
    @classmethod
    def _of_two(cls, pairs: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
        for source, targets in pairs.items():
            if source in targets:
                raise ValueError(f"{source} is a target of itself; every source is held against itself anyway")
            if len(set(targets)) < len(targets):
                raise ValueError(f"{source}: a target is listed twice, perhaps under two names")
        return pairs

    @field_validator("task_adapter", "lora", "full")
    @classmethod
    def _is_of_the_method(cls, recipe: TaskRecipe, info: ValidationInfo) -> TaskRecipe:
        method = {"task_adapter": "bottleneck"}.get(str(info.field_name), info.field_name)
        if info.data.get("method", method) != method:
            raise ValueError(f"goes with `method: {method}` only")
        if recipe.batch % 2:
            raise ValueError(f"batch {recipe.batch} is odd; half of each is the second language's")
        return recipe

    @model_validator(mode="after")
    def _surfaces_are_of_pairs(self) -> LandscapeJob:
        for surface in self.surfaces:
            if surface.target not in self.pairs.get(surface.source, ()):
                raise ValueError(f"`surfaces`: {surface.source} to {surface.target} is not among the `pairs`")
            if surface.axis in (surface.source, surface.target):
                raise ValueError(f"`surfaces`: {surface.axis} gives no second axis; name a third language, or `random`")
            if surface.axis == RANDOM and self.method == "lora":
                raise ValueError("`surfaces`: a random direction has no low rank; name a language as the axis")
        return self

    @property
    def task_recipe(self) -> TaskRecipe:
        """The recipe of the method."""
        recipes: dict[Method, TaskRecipe] = {"bottleneck": self.task_adapter, "lora": self.lora, "full": self.full}
        return recipes[self.method]

    @property
    def languages(self) -> tuple[str, ...]:
        """Every language that something is trained on, sorted."""
        paired = {code for source, targets in self.pairs.items() for code in (source, *targets)}
        return tuple(sorted(paired | {surface.axis for surface in self.surfaces if surface.axis != RANDOM}))


def load_landscape_job(path: Path) -> LandscapeJob:
    """Read a job file. Raises ``ConfigError`` naming file, line and the nearest valid key."""
    job = read_config(path, LandscapeJob)
    return job.model_copy(update={"out": path.parent / job.out, "corpora": path.parent / job.corpora})
