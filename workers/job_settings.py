"""Parts of a matrix job: its encoder, what is scored, further recipes, and what merging and selections go by."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StrictStr

from adapters_zoo.recipes import Positive, Rate, TaskRecipe
from matrices.languages import resolve

LanguageCode = Annotated[StrictStr, AfterValidator(lambda given: resolve(given).code)]
"""Any tag, code or English name, kept as ISO 639-3. Checked one by one, so that an error has the line of its own."""


class EncoderReference(BaseModel):
    """A folder in transformers' layout, or a hub id with the commit it is pinned to."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    revision: str | None = None
    languages: Annotated[tuple[LanguageCode, ...], Field(min_length=1)] | None = Field(
        None, description="what it was pretrained on, of an encoder that is neither well known nor made by `pretrain`"
    )


class EvaluationSettings(BaseModel):
    """What is scored."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    split: Literal["dev", "test"] = Field("test", description="which split of the target is scored")
    max_items: Positive | None = Field(None, description="score the first so many items; all by default")


class Change(BaseModel):
    """How a further recipe differs from that of the method."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    learning_rate: Rate | None = None
    batch: Positive | None = None
    epochs: Positive | None = None

    def of(self, recipe: TaskRecipe) -> TaskRecipe:
        """The changed recipe."""
        return recipe.model_copy(update=self.model_dump(exclude_none=True))


FUSION = Change(learning_rate=5e-4)
"""A fusion starts at the mean of what its members add, and wants a lower rate than they do."""


class MergeSettings(BaseModel):
    """Which language adapters a target's merged one is the mean of, and by what weights."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    top: Positive = Field(5, description="so many languages that are most like the target, weighted by how alike")
    among: Annotated[tuple[LanguageCode, ...], Field(min_length=1)] | None = Field(
        None, description="languages to take, each with raw text; the sources by default"
    )
    weights: dict[LanguageCode, dict[LanguageCode, Rate]] = Field(
        {}, description="target: languages and their weights, for those targets in place of likeness"
    )


_MEAN_GUARD = 0.95


class SelectionSettings(BaseModel):
    """What selections go by."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    max_items: Positive | None = Field(None, description="score the first so many items of a dev split; all by default")
    guard: Annotated[float, Field(ge=0, le=1)] = Field(
        0.9, description="a mean leaves out states whose dev score is below this share of the best one's"
    )
    mean_guard: Annotated[float, Field(ge=0, le=1)] = Field(
        _MEAN_GUARD,
        description="a mean whose own dev score is below this share of its best member's leaves out the member "
        "farthest from it, until it is not; at the least the best one stays",
    )

    def identity(self) -> dict[str, Any]:
        """Every setting that decides a score. One added later is left out at its default, so that old names stand."""
        return self.model_dump(exclude={"mean_guard"} if self.mean_guard == _MEAN_GUARD else set())
