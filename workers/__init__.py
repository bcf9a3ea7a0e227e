"""Corpora, training, evaluation, and the Ray job that fills a matrix."""
