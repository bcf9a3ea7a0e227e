"""Which language to transfer from: from cells to a ranked, qualified answer, measured where it was, else predicted."""

from matrices.recommend.answer import (
    Comparison,
    Considered,
    Effect,
    Elsewhere,
    Evidence,
    FeatureKind,
    FeatureWeight,
    Knowledge,
    Named,
    RankedSource,
    Recommendation,
    Score,
    SourceSet,
    Verdict,
    Verdicts,
    to_json,
)
from matrices.recommend.measured import Ranking, UnknownTargetError, recommend, shown
from matrices.recommend.names import code_of, named
from matrices.recommend.outline import Outline, UnknownWayError, outline
from matrices.recommend.predicted.cold_start import shown_for
from matrices.recommend.prediction import Expected, NothingToPredictError, Outlook, Predict
from matrices.recommend.predictor import predictions, predictions_of, predictor, remembering
from matrices.recommend.query import (
    READ,
    Asked,
    Predictor,
    Question,
    UnknownTaskError,
    ask,
    asked,
    ranked,
)
from matrices.recommend.ranking import Shown

__all__ = [
    "READ",
    "Asked",
    "Comparison",
    "Considered",
    "Effect",
    "Elsewhere",
    "Evidence",
    "Expected",
    "FeatureKind",
    "FeatureWeight",
    "Knowledge",
    "Named",
    "NothingToPredictError",
    "Outline",
    "Outlook",
    "Predict",
    "Predictor",
    "Question",
    "RankedSource",
    "Ranking",
    "Recommendation",
    "Score",
    "Shown",
    "SourceSet",
    "UnknownTargetError",
    "UnknownTaskError",
    "UnknownWayError",
    "Verdict",
    "Verdicts",
    "ask",
    "asked",
    "code_of",
    "named",
    "outline",
    "predictions",
    "predictions_of",
    "predictor",
    "ranked",
    "recommend",
    "remembering",
    "shown",
    "shown_for",
    "to_json",
]
