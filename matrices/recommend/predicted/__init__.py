"""Predict scores that nobody measured, rank sources by them, and say how sure that is."""

from matrices.recommend.predicted.model import Model, Predicted, fit
from matrices.recommend.predicted.saved_model import model_for

__all__ = ["Model", "Predicted", "fit", "model_for"]
