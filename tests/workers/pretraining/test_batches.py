"""What a pretraining step reads."""

from collections.abc import Mapping, Sequence

import numpy as np
import pytest
import torch

from adapters_zoo.tokens import SpecialTokens
from workers.pretraining.texts import Texts, contrast_batch, translation_batch

SPECIAL = SpecialTokens(begin=0, pad=1, end=2, unknown=3, mask=4)


def ids(*values: int) -> np.ndarray:
    return np.array(values, dtype=np.int32)


PARALLEL = ({"1": ids(10, 11), "2": ids(12), "only": ids(99)}, {"1": ids(20), "2": ids(21, 22, 23)}, {"2": ids(30)})


def texts_of(streams: Sequence[np.ndarray], starts: Sequence[np.ndarray], power: float = 1) -> Texts:
    return Texts.smoothed(streams, starts, [], power)


def parallel_texts(*parallel: Mapping[str, np.ndarray]) -> Texts:
    return Texts((), (), parallel, np.array([]))


def test_streams_are_drawn_by_their_length_to_a_power() -> None:
    streams = [np.zeros(length, dtype=np.int32) for length in (100, 400)]
    assert texts_of(streams, streams, 0.5).draw.tolist() == pytest.approx([1 / 3, 2 / 3])
    assert texts_of(streams, streams, 0).draw.tolist() == [0.5, 0.5]
    assert texts_of(streams, streams, 1).draw.tolist() == [0.2, 0.8]


def test_monolingual_rows_are_windows_of_one_stream_each_from_one_of_its_starts() -> None:
    texts = texts_of([np.arange(100, 160), np.arange(500, 560)], [ids(0, 53), ids(7)])
    batch = texts.monolingual(60, 8, SPECIAL.begin, np.random.default_rng(0))
    assert batch.shape == (60, 8)
    assert (batch[:, 0] == SPECIAL.begin).all()
    assert (batch[:, 2:] - batch[:, 1:-1] == 1).all()
    assert set(batch[:, 1].tolist()) == {100, 153, 507}


def test_stream_shorter_than_a_row_is_read_whole() -> None:
    batch = texts_of([ids(7, 8)], [ids(0)]).monolingual(1, 5, SPECIAL.begin, np.random.default_rng(0))
    assert batch.tolist() == [[0, 7, 8, 0, 0]]


def test_pairs_are_translations_and_lines_without_one_are_left_out() -> None:
    pairs = parallel_texts(*PARALLEL).pairs(200, 8, SPECIAL, np.random.default_rng(0))
    assert len(pairs) == 200
    lines = [{tuple(side[line]) for side in PARALLEL if line in side} for line in ("1", "2")]
    seen = set()
    for one, other in pairs:
        assert (one[0], one[-1], other[0], other[-1]) == (0, 2, 0, 2)
        said = (tuple(one[1:-1]), tuple(other[1:-1]))
        assert said[0] != said[1]
        assert any(set(said) <= line for line in lines)
        seen.add(said)
    assert len(seen) == 8  # two languages both ways for line 1, three for line 2


def test_long_side_of_a_pair_is_cut_to_its_room() -> None:
    texts = parallel_texts({"1": ids(*range(10, 30))}, {"1": ids(40)})
    sides = {len(side) for pair in texts.pairs(5, 6, SPECIAL, np.random.default_rng(0)) for side in pair}
    assert sides == {6, 3}


PAIR = (ids(0, 10, 11, 2), ids(0, 20, 2))


def test_translations_stand_side_by_side_with_positions_begun_anew() -> None:
    batch, positions = translation_batch([PAIR], 4, SPECIAL.pad, offset=2)
    assert batch.tolist() == [[0, 10, 11, 2, 0, 20, 2, 1]]
    assert positions.tolist() == [[2, 3, 4, 5, 2, 3, 4, 1]]


def test_contrasted_sentences_are_first_halves_then_second() -> None:
    other = (ids(0, 30, 2), ids(0, 40, 2))
    batch = contrast_batch([PAIR, other], 4, SPECIAL.pad)
    assert batch.tolist() == [[0, 10, 11, 2], [0, 30, 2, 1], [0, 20, 2, 1], [0, 40, 2, 1]]
    assert batch.dtype == torch.int64
