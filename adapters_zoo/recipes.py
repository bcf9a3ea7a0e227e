"""Every knob of training an adapter, with its default. A recipe is part of the identity of what it makes."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

Positive = Annotated[int, Field(gt=0)]
Rate = Annotated[float, Field(gt=0)]
Snapshots = Annotated[int, Field(ge=0, le=100)]


class Recipe(BaseModel):
    """Frozen knobs; an unknown one is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    added: ClassVar[tuple[str, ...]] = ()
    """Knobs that came when adapters had been kept already: left out of an identity where they are as by default."""
    aside: ClassVar[tuple[str, ...]] = ()
    """Knobs that say what else is kept of a run, and leave its weights as they are: never part of an identity."""

    def identity(self) -> dict[str, Any]:
        """Every knob that decides what the trained weights are."""
        defaults = {name: type(self).model_fields[name].default for name in self.added}
        as_before = {name for name, default in defaults.items() if getattr(self, name) == default}
        return self.model_dump(exclude=as_before.union(self.aside))


class LanguageAdapterRecipe(Recipe):
    """Invertible bottleneck adapter trained by masked-language modelling (MAD-X, Pfeiffer et al. 2020)."""

    added = ("others", "sentences")
    aside = ("snapshots",)

    steps: Positive = Field(500, description="optimiser steps")
    tokens: Positive = Field(2048, description="tokens in a step's batch")
    length: Positive = Field(64, description="tokens in a sequence; sentences are packed, none padded")
    learning_rate: Rate = Field(1e-3, description="peak of AdamW's rate; linear warm-up over 6% and linear decay")
    masked: Annotated[float, Field(gt=0, lt=1)] = Field(0.15, description="share of positions to predict")
    reduction: Rate = Field(2, description="hidden size divided by the bottleneck's width")
    sentences: Positive | None = Field(
        None, description="learn from the first so many sentences, so that languages have as much; all by default"
    )
    seed: Annotated[int, Field(ge=0)] = Field(0, description="of initialisation, order and masks; one for all cells")
    others: Annotated[int, Field(ge=0)] | None = Field(
        None,
        description="pieces that predictions are held against beside those of the language's own text, drawn anew in "
        "each step; the whole vocabulary by default",
    )
    snapshots: Snapshots = Field(0, description="evenly spaced states of the run to keep, the last of them its end")


class ShiftRecipe(Recipe):
    """Masked-language modelling by all weights of the encoder (Faisal and Anastasopoulos 2024), without any adapter.

    The rate does not fall, so that the encoder after n steps of a long run is the encoder of a run of n steps.
    """

    added = ("sentences",)

    budgets: Annotated[tuple[Positive, ...], Field(min_length=1)] = Field(
        (1, 10, 100, 1000), description="steps after which the encoder is kept; each is a composition, `shift-10`"
    )
    tokens: Positive = Field(1024, description="tokens in a step's batch")
    length: Positive = Field(64, description="tokens in a sequence; sentences are packed, none padded")
    learning_rate: Rate = Field(5e-5, description="AdamW's rate after the warm-up; a small encoder wants more")
    warm_up: Annotated[int, Field(ge=0)] = Field(10, description="steps in which the rate rises, linearly")
    masked: Annotated[float, Field(gt=0, lt=1)] = Field(0.15, description="share of positions to predict")
    sentences: Positive | None = Field(
        None, description="learn from the first so many sentences, so that languages have as much; all by default"
    )
    seed: Annotated[int, Field(ge=0)] = Field(0, description="of order and masks; one for all cells")

    @field_validator("budgets")
    @classmethod
    def _ascending(cls, budgets: tuple[int, ...]) -> tuple[int, ...]:
        if len(set(budgets)) < len(budgets):
            raise ValueError("a budget stands twice")
        return tuple(sorted(budgets))

    def of_the_run(self) -> dict[str, Any]:
        """Every knob that decides what the weights are after n steps: all but the budgets."""
        return {name: value for name, value in self.identity().items() if name != "budgets"}


class TaskRecipe(Recipe):
    """What every method of learning a task has in common: a linear head, and labelled data of a language."""

    aside = ("snapshots",)

    epochs: Positive = Field(5, description="passes over the train split")
    batch: Positive = Field(16, description="items in a step's batch, bucketed by length")
    learning_rate: Rate = Field(1e-3, description="peak of AdamW's rate; linear warm-up over 6% and linear decay")
    leave_out: Annotated[int, Field(ge=0)] = Field(0, description="lowest layers of the encoder without an adapter")
    dropout: bool = Field(
        True, description="drop activations of the frozen encoder in training, as its config.json says"
    )
    pool: Literal["mean", "first"] = Field("mean", description="what a word's vector is, of those of its pieces")
    max_items: Positive | None = Field(None, description="train on the first so many items; all by default")
    snapshots: Snapshots = Field(0, description="evenly spaced states of the run to keep, the last of them its end")


class TaskAdapterRecipe(TaskRecipe):
    """Bottleneck adapter and linear head trained on labelled data over the frozen adapter of its language."""

    reduction: Rate = Field(16, description="hidden size divided by the bottleneck's width")


class LowRankRecipe(TaskRecipe):
    """LoRA (Hu et al. 2022) of attention's queries and values, and a linear head."""

    rank: Positive = Field(8, description="of what is added to each projection")
    alpha: Rate = Field(16, description="what is added is multiplied by alpha / rank")


class TunedRecipe(TaskRecipe):
    """Fine-tuning of the encoder's layers on the task, and a linear head; embeddings stay as they are.

    Of a multilingual encoder they are most of the weights, and those of other languages' words would not learn.
    """

    epochs: Positive = Field(3, description="passes over the train split")
    learning_rate: Rate = Field(5e-5, description="peak of AdamW's rate; a small encoder wants more")
    leave_out: Annotated[int, Field(ge=0)] = Field(0, description="lowest layers that stay the encoder's own")


class FewShotRecipe(Recipe):
    """Learning on from zero-shot weights, on labelled items of the target and of the source in joint batches.

    The loss of a step is the mean of the losses of its languages (Schmidt, Vulic and Glavas 2023).
    """

    mode: Literal["bi", "multi"] = Field(
        "bi", description="one target with the source, or all targets of the job at once"
    )
    steps: Positive = Field(50, description="optimiser steps")
    batch: Positive = Field(8, description="items of each language in a step's batch")
    learning_rate: Rate = Field(1e-3, description="peak of AdamW's rate; linear warm-up over 6% and linear decay")
    baseline: bool = Field(True, description="learn from the target's items alone too, without source and its weights")


Method = Literal["bottleneck", "lora", "full"]
"""How a task is learnt: by a bottleneck adapter, by low-rank additions, or by the layers themselves."""
