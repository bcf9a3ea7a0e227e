"""Every knob of training an adapter, with its default. A recipe is part of the identity of what it makes."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Positive = Annotated[int, Field(gt=0)]
Rate = Annotated[float, Field(gt=0)]


class Recipe(BaseModel):
    """Frozen knobs; an unknown one is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class LanguageAdapterRecipe(Recipe):
    """Invertible bottleneck adapter trained by masked-language modelling (MAD-X, Pfeiffer et al. 2020)."""

    steps: Positive = Field(500, description="optimiser steps")
    tokens: Positive = Field(2048, description="tokens in a step's batch")
    length: Positive = Field(64, description="tokens in a sequence; sentences are packed, none padded")
    learning_rate: Rate = Field(1e-3, description="peak of AdamW's rate; linear warm-up over 6% and linear decay")
    masked: Annotated[float, Field(gt=0, lt=1)] = Field(0.15, description="share of positions to predict")
    reduction: Rate = Field(2, description="hidden size divided by the bottleneck's width")
    seed: Annotated[int, Field(ge=0)] = Field(0, description="of initialisation, order and masks; one for all cells")


class TaskAdapterRecipe(Recipe):
    """Bottleneck adapter and linear head trained on labelled data over the frozen adapter of its language."""

    epochs: Positive = Field(5, description="passes over the train split")
    batch: Positive = Field(16, description="items in a step's batch, bucketed by length")
    learning_rate: Rate = Field(1e-3, description="peak of AdamW's rate; linear warm-up over 6% and linear decay")
    reduction: Rate = Field(16, description="hidden size divided by the bottleneck's width")
    leave_out: Annotated[int, Field(ge=0)] = Field(0, description="lowest layers of the encoder without an adapter")
    max_items: Positive | None = Field(None, description="train on the first so many items; all by default")
