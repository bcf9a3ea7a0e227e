"""Items to token sequences and batches: no word is lost on the way, and each unit finds its way back."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters_zoo.backbone import Encoder
from adapters_zoo.sources import check_encoder
from workers.corpora import open_corpora
from workers.corpora.types import CorpusOrigin, Dataset
from workers.encoding import (
    EncodedItems,
    collate,
    encode_items,
    evaluation_batches,
    token_stream,
    training_batches,
    window_starts,
)
from workers.sequences import TokenSequence
from workers.tasks import task_of
from workers.tasks.base import Item
from workers.tasks.classification import LabelledText
from workers.tasks.tagging import TaggedSentence

PAD = 1


@pytest.fixture(scope="module")
def encoder(tiny_encoder_folder: Path) -> Encoder:
    return Encoder(check_encoder(tiny_encoder_folder))


@pytest.fixture(scope="module")
def words(tiny_corpora: Path) -> tuple[str, ...]:
    """Words the tokenizer knows, several times over."""
    return tuple(" ".join(open_corpora(tiny_corpora).text("qac").sentences[:40]).split())  # type: ignore[union-attr]


def tagged(tokens: Sequence[str]) -> TaggedSentence:
    return TaggedSentence("1", tuple(tokens), tuple(f"T{n}" for n in range(len(tokens))))


def encode(encoder: Encoder, *items: Item) -> EncodedItems:
    """Items as a data set of their kind has them encoded."""
    kind = "tagging" if isinstance(items[0], TaggedSentence) else "classification"
    return encode_items(encoder, Dataset("t", kind, "qac", "test", items, CorpusOrigin("made", (), None, None)))


def spelt(encoder: Encoder, encoded: EncodedItems, item: int = 0) -> dict[int, str]:
    """What the encoder reads of each unit of an item, as text."""
    read: dict[int, list[int]] = {}
    for sequence in encoded.sequences:
        for id_, unit in zip(sequence.ids.tolist(), sequence.unit_of.tolist(), strict=True):
            if sequence.item == item and unit >= 0:
                read.setdefault(unit, []).append(id_)
    return {unit: encoder.tokenizer.decode(ids).strip() for unit, ids in read.items()}


def test_every_word_is_a_unit_with_its_own_pieces(encoder: Encoder, words: tuple[str, ...]) -> None:
    tokens = [*words[:5], words[0] + words[1], words[2]]
    encoded = encode(encoder, tagged(tokens))
    [sequence] = encoded.sequences
    assert spelt(encoder, encoded) == dict(enumerate(tokens))
    assert sequence.gold == ("T0", "T1", "T2", "T3", "T4", "T5", "T6")
    assert (sequence.ids[0], sequence.ids[-1]) == (encoder.special.begin, encoder.special.end)
    assert (sequence.unit_of[0], sequence.unit_of[-1]) == (-1, -1)


def test_word_with_a_space_in_it_is_one_unit(encoder: Encoder, words: tuple[str, ...]) -> None:
    encoded = encode(encoder, tagged([words[0], f"{words[1]} {words[2]}"]))
    assert spelt(encoder, encoded) == {0: words[0], 1: f"{words[1]} {words[2]}"}


def test_long_sentence_is_cut_between_words_and_keeps_them_all(encoder: Encoder, words: tuple[str, ...]) -> None:
    assert len(words) > 3 * encoder.max_length
    encoded = encode(encoder, tagged(words))
    assert len(encoded.sequences) > 3
    assert all(len(sequence.ids) <= encoder.max_length for sequence in encoded.sequences)
    assert spelt(encoder, encoded) == dict(enumerate(words))
    units = [set(sequence.unit_of.tolist()) - {-1} for sequence in encoded.sequences]
    assert sum(map(len, units)) == len(set.union(*units)) == len(words)


def test_word_longer_than_the_encoder_is_cut_short_and_its_neighbours_are_not(
    encoder: Encoder, words: tuple[str, ...]
) -> None:
    monster = "".join(words)
    encoded = encode(encoder, tagged([words[0], monster, words[1]]))
    read = spelt(encoder, encoded)
    assert (read[0], read[2]) == (words[0], words[1])
    assert monster.startswith(read[1])
    assert [len(sequence.ids) for sequence in encoded.sequences][1] == encoder.max_length
    assert [sequence.gold for sequence in encoded.sequences] == [("T0",), ("T1",), ("T2",)]
    assert encoded.cut == 1


def test_word_the_tokenizer_drops_is_still_a_unit(encoder: Encoder, words: tuple[str, ...]) -> None:
    encoded = encode(encoder, tagged([words[0], "", words[1]]))
    [sequence] = encoded.sequences
    assert sequence.ids[sequence.unit_of == 1].tolist() == [encoder.special.unknown]


def test_text_is_one_unit_of_its_first_window(encoder: Encoder, words: tuple[str, ...]) -> None:
    text = " ".join(words)
    encoded = encode(encoder, LabelledText("1", text, "corner"))
    [sequence] = encoded.sequences
    assert len(sequence.ids) == encoder.max_length
    assert set(sequence.unit_of[1:-1]) == {0}
    assert text.startswith(spelt(encoder, encoded)[0])
    assert (sequence.gold, encoded.cut) == (("corner",), 1)


def test_empty_text_still_gets_an_answer(encoder: Encoder) -> None:
    [sequence] = encode(encoder, LabelledText("1", "", "corner")).sequences
    assert sequence.ids.tolist() == [encoder.special.begin, encoder.special.unknown, encoder.special.end]


def test_sentence_without_words_has_no_units(encoder: Encoder, words: tuple[str, ...]) -> None:
    encoded = encode(encoder, tagged([]), tagged(words[:1]))
    assert [sequence.item for sequence in encoded.sequences] == [1]
    assert (encoded.items, encoded.cut) == (2, 0)


def sequences(lengths: Sequence[int]) -> EncodedItems:
    """One-unit items of these lengths."""
    made = [
        TokenSequence(item, np.full(length, 7, dtype=np.int64), np.zeros(length, dtype=np.int64), ("a",))
        for item, length in enumerate(lengths)
    ]
    return EncodedItems(task_of("classification"), tuple(made), len(made))


def test_batch_is_padded_and_its_units_are_numbered_through() -> None:
    window = TokenSequence(4, np.array([0, 20, 21, 2]), np.array([-1, 5, 6, -1]))
    whole = TokenSequence(9, np.array([0, 30, 30, 31, 32, 2]), np.array([-1, 0, 0, 1, 2, -1]))
    batch = collate(EncodedItems(task_of("tagging"), (whole, window), 10), [1, 0], PAD)
    assert batch.ids.tolist() == [[0, 20, 21, 2, PAD, PAD], [0, 30, 30, 31, 32, 2]]
    assert batch.mask.tolist() == [[1, 1, 1, 1, 0, 0], [1] * 6]
    assert batch.unit_of.tolist() == [[-1, 0, 1, -1, -1, -1], [-1, 2, 2, 3, 4, -1]]
    assert (batch.sizes, batch.units, batch.types) == ((2, 3), 5, None)
    assert batch.sequences == (window, whole)


def test_types_of_a_batch_are_padded_with_the_first() -> None:
    paired = TokenSequence(0, np.array([0, 5, 2, 6, 2]), np.array([-1, 0, -1, 0, -1]), (), np.array([0, 0, 0, 1, 1]))
    alone = TokenSequence(1, np.array([0, 5, 2]), np.array([-1, 0, -1]))
    batch = collate(EncodedItems(task_of("pairs"), (paired, alone), 2), [0, 1], PAD)
    assert batch.types is not None
    assert batch.types.tolist() == [[0, 0, 0, 1, 1], [0] * 5]


def test_windows_of_one_item_may_share_a_batch(encoder: Encoder, words: tuple[str, ...]) -> None:
    encoded = encode(encoder, tagged(words))
    batch = collate(encoded, range(len(encoded.sequences)), PAD)
    assert sorted(unit for sequence in batch.sequences for unit in sequence.units) == [*range(len(words))]
    assert int(batch.unit_of.max()) == len(words) - 1


@given(st.lists(st.integers(1, 40), max_size=60), st.integers(1, 9), st.integers(0, 5))
def test_training_reads_every_sequence_once(lengths: list[int], size: int, seed: int) -> None:
    batches = list(training_batches(sequences(lengths), size, np.random.default_rng(seed)))
    assert sorted(index for batch in batches for index in batch) == list(range(len(lengths)))
    assert all(len(batch) <= size for batch in batches)
    assert len(batches) == -(-len(lengths) // size)


@given(st.lists(st.integers(1, 40), max_size=60), st.integers(1, 100))
def test_evaluation_reads_every_sequence_once_within_its_room(lengths: list[int], tokens: int) -> None:
    batches = list(evaluation_batches(sequences(lengths), tokens))
    assert sorted(index for batch in batches for index in batch) == list(range(len(lengths)))
    assert all(len(batch) == 1 or len(batch) * max(lengths[i] for i in batch) <= tokens for batch in batches)


def test_stream_closes_every_sentence(encoder: Encoder, words: tuple[str, ...]) -> None:
    stream = token_stream(encoder, [" ".join(words[:3]), "", words[3]])
    assert stream.dtype == np.int32
    ends = np.flatnonzero(stream == encoder.special.end)
    assert len(ends) == 3
    assert ends[-1] == len(stream) - 1
    assert encoder.tokenizer.decode(stream[: ends[0]].tolist()).strip() == " ".join(words[:3])


def test_windows_begin_where_a_sentence_does() -> None:
    end = 2
    stream = np.array([5, 6, end, 7, 8, 9, end, 5, end], dtype=np.int32)
    assert window_starts(stream, 4, end).tolist() == [0, 3]
    assert window_starts(stream, 9, end).tolist() == [0]


def test_a_stream_shorter_than_a_window_is_read_from_its_beginning() -> None:
    assert window_starts(np.array([5, 2], dtype=np.int32), 7, 2).tolist() == [0]
