"""Which language to transfer from: from cells to a ranked, qualified answer. Pure functions over Arrow tables."""

from matrices.recommend.answer import Comparison, Effect, Named, RankedSource, Recommendation, Score, to_json
from matrices.recommend.asking import Question, UnknownTaskError, ask
from matrices.recommend.measured import UnknownTargetError, recommend, targets
from matrices.recommend.names import code_of, named

__all__ = [
    "Comparison",
    "Effect",
    "Named",
    "Question",
    "RankedSource",
    "Recommendation",
    "Score",
    "UnknownTargetError",
    "UnknownTaskError",
    "ask",
    "code_of",
    "named",
    "recommend",
    "targets",
    "to_json",
]
