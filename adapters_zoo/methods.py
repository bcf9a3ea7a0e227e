"""What each method of learning a task adds to an encoder before it is trained."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from adapters_zoo.backbone import Encoder
from adapters_zoo.recipes import LowRankRecipe, TaskAdapterRecipe, TaskRecipe, TunedRecipe

Add = Callable[[Encoder, str, Any], None]
"""Adds what a recipe trains to an encoder, as its task adapter of a name."""


def _bottleneck(encoder: Encoder, name: str, recipe: TaskAdapterRecipe) -> None:
    encoder.add_task_adapter(name, reduction=recipe.reduction, leave_out=recipe.leave_out)


def _low_rank(encoder: Encoder, name: str, recipe: LowRankRecipe) -> None:
    encoder.add_low_rank(name, rank=recipe.rank, alpha=recipe.alpha, leave_out=recipe.leave_out)


def _tuned(encoder: Encoder, name: str, recipe: TunedRecipe) -> None:
    encoder.add_tuned(name, leave_out=recipe.leave_out)


METHODS: dict[type[TaskRecipe], Add] = {
    TaskAdapterRecipe: _bottleneck,
    LowRankRecipe: _low_rank,
    TunedRecipe: _tuned,
}
"""By recipe. A method of one's own is one more: `docs/how-to-add.md`."""


def add_untrained(encoder: Encoder, name: str, recipe: TaskRecipe) -> None:
    """Add what ``recipe`` trains to ``encoder``, as its task adapter ``name``.

    Initialised from torch's global generator. Raises ``TypeError`` on the recipe of no method, and ``ValueError`` where
    it leaves out every layer.
    """
    if type(recipe) not in METHODS:
        raise TypeError(f"{type(recipe).__name__} is the recipe of no method")
    METHODS[type(recipe)](encoder, name, recipe)
