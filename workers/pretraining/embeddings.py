"""Token embeddings that start where counting ends: translations close to each other before the first step.

Half of the dimensions say which lines of a parallel corpus a token occurs in (Levy, Soegaard, Goldberg 2017, "A strong
baseline for learning cross-lingual word embeddings from sentence alignments"), in any language; the other half which
clusters of such tokens stand up to two places to its left and right. Both as positive pointwise mutual information,
reduced by a truncated singular value decomposition.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from scipy.sparse import csr_matrix
from scipy.sparse.linalg import svds
from sklearn.cluster import MiniBatchKMeans

Ids = np.ndarray

_CLUSTERS = 400
_SEEN_ENOUGH = 3
_SCALE = 0.04
_CONTEXT_POWER = 0.75


def aligned_embeddings(
    streams: Sequence[Ids], parallel: Sequence[Mapping[str, Ids]], *, vocabulary: int, hidden: int, seed: int
) -> np.ndarray:
    """Embeddings [vocabulary, hidden], fp32, with standard deviation 0.04.

    ``streams`` are the token streams of all languages; ``parallel`` holds, a language, the tokens of each line by id.
    Raises ``ValueError`` where there is too little parallel text for so many dimensions.
    """
    lines = {line: number for number, line in enumerate(sorted({line for one in parallel for line in one}))}
    occurrences = _occurrences(parallel, lines, vocabulary)
    meaning_size = min(hidden // 2, len(lines) - 1, vocabulary - 1)
    enough = np.asarray(occurrences.sum(axis=1)).ravel() > _SEEN_ENOUGH
    clusters = min(_CLUSTERS, int(enough.sum()))
    if meaning_size < 1 or clusters == 0 or hidden - meaning_size >= min(vocabulary, 4 * (clusters + 1)):
        raise ValueError(
            f"{len(lines)} lines of parallel text with {clusters} tokens seen often enough are too few for "
            f"{hidden} dimensions; give more, make `hidden` smaller, or set `embeddings: random`"
        )
    meaning = _reduce(_ppmi(occurrences), meaning_size, seed)
    cluster_of = np.full(vocabulary, clusters)
    grouping = MiniBatchKMeans(clusters, random_state=seed, n_init=1, batch_size=4096, max_iter=30)
    cluster_of[enough] = grouping.fit_predict(meaning[enough])
    company = _reduce(_ppmi(_neighbours(streams, cluster_of, clusters + 1)), hidden - meaning_size, seed)
    joined = np.concatenate([meaning, company], axis=1)
    return np.asarray(joined * (_SCALE / joined.std()), dtype=np.float32)


def _occurrences(parallel: Sequence[Mapping[str, Ids]], lines: Mapping[str, int], vocabulary: int) -> csr_matrix:
    """How many languages have token v in line i: [vocabulary, lines]."""
    tokens = [np.unique(ids) for one in parallel for ids in one.values()]
    columns = [
        np.full(len(ids), lines[line]) for ids, line in zip(tokens, (li for one in parallel for li in one), strict=True)
    ]
    return _counted(np.concatenate(tokens), np.concatenate(columns), (vocabulary, len(lines)))


def _neighbours(streams: Sequence[Ids], cluster_of: Ids, clusters: int) -> csr_matrix:
    """How often a token of cluster c stands at each of four places around token v: [vocabulary, 4 x clusters]."""
    rows: list[Ids] = []
    columns: list[Ids] = []
    for stream in streams:
        for place, distance in enumerate((1, 2)):
            left, right = stream[:-distance], stream[distance:]
            rows += [right, left]
            columns += [cluster_of[left] + 2 * place * clusters, cluster_of[right] + (2 * place + 1) * clusters]
    return _counted(np.concatenate(rows), np.concatenate(columns), (len(cluster_of), 4 * clusters))


def _counted(rows: Ids, columns: Ids, shape: tuple[int, int]) -> csr_matrix:
    counts = csr_matrix((np.ones(len(rows)), (rows, columns)), shape=shape)
    counts.sum_duplicates()
    return counts


def _ppmi(counts: csr_matrix) -> csr_matrix:
    """Positive pointwise mutual information; context shares to the power 0.75 (Levy, Goldberg, Dagan 2015)."""
    coordinates = counts.tocoo()
    of_row = np.asarray(counts.sum(axis=1)).ravel()
    of_column = np.asarray(counts.sum(axis=0)).ravel() ** _CONTEXT_POWER
    of_column /= of_column.sum()
    information = np.log(coordinates.data / of_row[coordinates.row] / of_column[coordinates.col])
    return csr_matrix((np.maximum(information, 0), (coordinates.row, coordinates.col)), shape=counts.shape)


def _reduce(matrix: csr_matrix, size: int, seed: int) -> np.ndarray:
    """Rows as unit vectors of ``size`` dimensions, weighted by the square root of their singular values."""
    left, values, _ = svds(matrix, k=size, random_state=np.random.default_rng(seed))
    order = np.argsort(-values)
    vectors = left[:, order] * np.sqrt(values[order])
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, 1e-9))
