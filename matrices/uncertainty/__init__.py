"""How sure numbers of a matrix are: one account of items and seeds, for measures and answers alike.

Notation, throughout: S sources, T targets, K seeds, N items of a target in G clusters (its passages, or the items), B
resamples, C numbers of any kind.

- ``influence``: what one item does to a score, which is a ratio of sums
- ``resampling``: one draw of items serves every cell that has them
- ``components``: variance over items, and over seeds beyond that, with degrees of freedom
- ``matrix_bootstrap``: intervals of numbers made of the whole matrix
- ``multiplicity``: false discovery rates, and bands that hold for many numbers at once
- ``comparison``: the sources of one target held against each other: intervals, ties, who is best
- ``adapter_runs``: variance over training runs of a language adapter
- ``best``: how probable it is that a source is the best
"""
