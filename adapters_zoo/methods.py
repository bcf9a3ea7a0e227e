"""What each method of learning a task adds to an encoder before it is trained."""

from __future__ import annotations

from adapters_zoo.backbone import Encoder
from adapters_zoo.recipes import LowRankRecipe, TaskAdapterRecipe, TaskRecipe, TunedRecipe


def add_untrained(encoder: Encoder, name: str, recipe: TaskRecipe) -> None:
    """Add what ``recipe`` trains to ``encoder``, as its task adapter ``name``.

    Initialised from torch's global generator. Raises ``ValueError`` where it leaves out every layer.
    """
    match recipe:
        case TaskAdapterRecipe():
            encoder.add_task_adapter(name, reduction=recipe.reduction, leave_out=recipe.leave_out)
        case LowRankRecipe():
            encoder.add_low_rank(name, rank=recipe.rank, alpha=recipe.alpha, leave_out=recipe.leave_out)
        case TunedRecipe():
            encoder.add_tuned(name, leave_out=recipe.leave_out)
        case _:
            raise TypeError(f"{type(recipe).__name__} is the recipe of no method")
