"""Embeddings from parallel text: translations are close before any training."""

import numpy as np
import pytest

from workers.pretraining.embeddings import aligned_embeddings

MEANINGS = 40
FIRST = 5
VOCABULARY = FIRST + 2 * MEANINGS
LINES = np.random.default_rng(0).integers(0, MEANINGS, (400, 6))
PARALLEL = [{str(number): FIRST + side * MEANINGS + line for number, line in enumerate(LINES)} for side in (0, 1)]
STREAMS = [np.concatenate(list(side.values())) for side in PARALLEL]


def embed(hidden: int = 32, seed: int = 0, lines: int = 400) -> np.ndarray:
    parallel = [{line: side[line] for line in list(side)[:lines]} for side in PARALLEL]
    return aligned_embeddings(STREAMS, parallel, vocabulary=VOCABULARY, hidden=hidden, seed=seed)


def test_translations_are_closer_than_any_other_pair_nearly_always() -> None:
    vectors = embed()[FIRST:]
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    similar = vectors[:MEANINGS] @ vectors[MEANINGS:].T
    assert (similar.argmax(axis=1) == np.arange(MEANINGS)).mean() > 0.9
    assert np.diag(similar).mean() > similar[~np.eye(MEANINGS, dtype=bool)].mean() + 0.3


def test_embeddings_have_the_stated_form() -> None:
    vectors = embed()
    assert (vectors.shape, vectors.dtype) == ((VOCABULARY, 32), np.float32)
    assert vectors.std() == pytest.approx(0.04)
    assert np.isfinite(vectors).all()


def test_same_seed_gives_the_same_embeddings() -> None:
    assert np.array_equal(embed(seed=3), embed(seed=3))


@pytest.mark.parametrize(("hidden", "lines"), [(512, 400), (32, 1), (32, 2)])
def test_too_little_parallel_text_says_what_to_do(hidden: int, lines: int) -> None:
    with pytest.raises(ValueError, match="give more, make `hidden` smaller, or set `embeddings: random`"):
        embed(hidden=hidden, lines=lines)
