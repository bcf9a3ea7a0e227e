"""Predict scores that nobody measured, rank sources by them, and say how sure that is."""

from matrices.recommend.predicted.kept import model_for
from matrices.recommend.predicted.model import Model, Predicted, fit

__all__ = ["Model", "Predicted", "fit", "model_for"]
