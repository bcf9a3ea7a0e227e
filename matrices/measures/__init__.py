"""Measures of transfer: pure functions from the cells of a matrix to tidy tables.

Every measure starts from a ``MatrixView`` (``matrices.view.view``): one matrix under one composition and selection, as
arrays. How sure its numbers are is ``matrices.uncertainty``'s to say. Nothing here needs torch.
"""
