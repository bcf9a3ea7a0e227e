"""How alike languages are: by genealogy, place, script and typology, and by what is written in them.

The floor under recommendations, measures and backtests. Nothing here knows of models or of measures.
"""
