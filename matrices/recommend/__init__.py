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
from matrices.recommend.measured import UnknownTargetError, recommend, targets
from matrices.recommend.names import code_of, named
from matrices.recommend.outlook import Expected, NothingToPredictError, Outlook, Predict
from matrices.recommend.predicted.cold_start import shown_for
from matrices.recommend.predictions import predictions, predictor, remembering
from matrices.recommend.query import Predictor, Question, UnknownTaskError, UnknownWayError, ask

__all__ = [
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
    "Outlook",
    "Predict",
    "Predictor",
    "Question",
    "RankedSource",
    "Recommendation",
    "Score",
    "SourceSet",
    "UnknownTargetError",
    "UnknownTaskError",
    "UnknownWayError",
    "Verdict",
    "Verdicts",
    "ask",
    "code_of",
    "named",
    "predictions",
    "predictor",
    "recommend",
    "remembering",
    "shown_for",
    "targets",
    "to_json",
]
