"""Cells, the store that keeps them, languages, measures and recommendations. Needs no torch and no ray."""
