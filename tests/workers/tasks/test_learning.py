"""Tasks on a small encoder: pairs as its tokenizer joins them, windows without a gap, answers that are learnt."""

import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer, models, pre_tokenizers, processors

from adapters_zoo.backbone import Encoder
from adapters_zoo.recipes import TaskAdapterRecipe
from adapters_zoo.sources import check_encoder
from workers import tasks
from workers.corpora import open_corpora
from workers.corpora.types import CorpusOrigin, Dataset
from workers.encoding import collate, encode_items, training_batches
from workers.evaluation import Contestant, evaluate
from workers.hidden_states import CachedText
from workers.rows import Row, Said
from workers.sequences import Pieces, TokenSequence
from workers.tasks.base import Task
from workers.tasks.choice import Choice
from workers.tasks.pairs import LabelledPair
from workers.tasks.qa import AnswerSpan, PassageQuestion
from workers.tasks.scoring import score
from workers.training import train_task_adapter

HERE = CorpusOrigin("made", (), None, None)


@pytest.fixture
def encoder(tiny_encoder_folder: Path) -> Encoder:
    return Encoder(check_encoder(tiny_encoder_folder))


@pytest.fixture(scope="module")
def words(tiny_corpora: Path) -> list[str]:
    """Different words that the encoder has seen."""
    text = open_corpora(tiny_corpora).text("qac")
    assert text is not None
    return sorted(set(" ".join(text.sentences).split()))


def dataset(kind: str, *items: Any, language: str = "qac") -> Dataset:
    return Dataset("made", kind, language, "train", tuple(items), HERE)


def pairs(words: list[str], number: int) -> list[LabelledPair]:
    """Which half of the words the second text is of."""
    rng = np.random.default_rng(number)
    halves = words[: len(words) // 2], words[len(words) // 2 :]
    made = []
    for at in range(number):
        first, second = (str(rng.choice(half)) for half in (words, halves[at % 2]))
        made.append(LabelledPair(str(at), first, second, ("low", "high")[at % 2]))
    return made


def choices(words: list[str], number: int) -> list[Choice]:
    """Of two words the one of the first half."""
    rng = np.random.default_rng(number)
    halves = words[: len(words) // 2], words[len(words) // 2 :]
    made = []
    for at in range(number):
        premise, right, wrong = (str(rng.choice(half)) for half in (words, *halves))
        made.append(Choice(str(at), premise, "effect", (right, wrong) if at % 2 else (wrong, right), 1 - at % 2))
    return made


def question(words: list[str], length: int, at: int, asked: str) -> PassageQuestion:
    """Which word stands in a passage of a given length at a given place?"""
    context = " ".join(words[place % len(words)] for place in range(length))
    start = len(" ".join(context.split(" ")[:at])) + (at > 0)
    return PassageQuestion("1", asked, context, (AnswerSpan(context.split(" ")[at], start),))


def test_a_pair_is_joined_as_the_tokenizer_joins_it(encoder: Encoder, words: list[str]) -> None:
    first, second = " ".join(words[:3]), " ".join(words[3:7])
    [sequence] = encode_items(encoder, dataset("pairs", LabelledPair("1", first, second, "x"))).sequences
    assert sequence.ids.tolist() == encoder.tokenizer.encode(first, second).ids
    assert (sequence.unit_of >= 0).tolist() == [
        one is not None for one in encoder.tokenizer.encode(first, second).sequence_ids
    ]
    assert sequence.types is None
    assert sequence.gold == ("x",)


def test_bert_tells_the_texts_of_a_pair_by_their_type(encoder: Encoder, words: list[str]) -> None:
    special = encoder.special
    encoder.tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>",
        pair="<s> $A </s> $B:1 </s>:1",
        special_tokens=[("<s>", special.begin), ("</s>", special.end)],
    )
    encoder.token_types = 2
    pair = LabelledPair("1", words[0], words[1], "x")
    encoded = encode_items(encoder, dataset("pairs", pair))
    theirs = encoder.tokenizer.encode(words[0], words[1])
    [sequence] = encoded.sequences
    assert sequence.ids.tolist() == theirs.ids
    assert sequence.types is not None
    assert sequence.types.tolist() == theirs.type_ids
    batch = collate(encoded, [0], special.pad)
    assert batch.types is not None
    assert batch.types.tolist() == [theirs.type_ids]


@pytest.mark.parametrize(("types", "between"), [(1, 2), (2, 1)], ids=["RoBERTa", "BERT"])
def test_without_a_template_a_pair_is_joined_as_the_architecture_does(
    encoder: Encoder, words: list[str], types: int, between: int
) -> None:
    encoder.tokenizer.post_processor = None
    encoder.token_types = types
    [sequence] = encode_items(encoder, dataset("pairs", LabelledPair("1", words[0], words[1], "x"))).sequences
    end, begin = encoder.special.end, encoder.special.begin
    assert sequence.ids[0] == begin
    assert sequence.ids.tolist().count(end) == between + 1
    assert (sequence.types is None) == (types == 1)


def test_token_types_reach_the_states(encoder: Encoder) -> None:
    ids = torch.tensor([[0, 20, 2, 21, 2]])
    kinds = encoder.model.base_model.embeddings.token_type_embeddings.weight
    with torch.no_grad():
        kinds.data = torch.cat((kinds.data[:1], torch.randn(1, kinds.shape[1])))
    alone = encoder.above(encoder.seam(ids))
    zeros = encoder.above(encoder.seam(ids, None, torch.zeros_like(ids)))
    second = encoder.above(encoder.seam(ids, None, torch.tensor([[0, 0, 0, 1, 1]])))
    assert torch.equal(alone, zeros)
    assert not torch.allclose(alone, second)


def test_the_longer_text_of_a_pair_is_cut_and_that_is_counted(encoder: Encoder, words: list[str]) -> None:
    long, short = " ".join(words[:40] * 4), " ".join(words[:3])
    encoded = encode_items(
        encoder,
        dataset(
            "pairs", *(LabelledPair(str(n), a, b, "x") for n, (a, b) in enumerate(((long, short), (short, short))))
        ),
    )
    pieces = Pieces(encoder)
    whole = pieces.text(short).ids
    assert len(encoded.sequences[0].ids) == encoder.max_length
    assert encoded.sequences[0].ids.tolist()[-1 - len(whole) : -1] == whole
    assert encoded.cut == 1


def test_windows_of_a_passage_have_every_piece_and_overlap(encoder: Encoder, words: list[str]) -> None:
    item = question(words, 150, 0, words[0])
    encoded = encode_items(encoder, dataset("qa", item))
    assert len(encoded.sequences) > 3
    assert all(len(sequence.ids) <= encoder.max_length for sequence in encoded.sequences)
    places = [set(sequence.units) - {0} for sequence in encoded.sequences]
    assert set.union(*places) == set(range(1, 1 + len(Pieces(encoder).text(item.context).ids)))
    assert all(one & two for one, two in pairwise(places))
    assert encoded.cut == 0


@pytest.mark.parametrize("at", range(0, 150, 7))
def test_an_answer_at_the_border_of_a_window_is_whole_in_one(encoder: Encoder, words: list[str], at: int) -> None:
    item = question(words, 150, at, words[0])
    encoded = encode_items(encoder, dataset("qa", item))
    marked = [sequence for sequence in encoded.sequences if sequence.gold != (0, 0)]
    assert marked
    for sequence in marked:
        first, last = sequence.gold
        text = item.context[sequence.places[first][0] : sequence.places[last][1]].strip()
        assert text == item.answers[0].text


@pytest.mark.parametrize("at", [0, 61, 149])
def test_the_best_span_of_all_windows_is_the_answer(encoder: Encoder, words: list[str], at: int) -> None:
    item = question(words, 150, at, words[0])
    encoded = encode_items(encoder, dataset("qa", item))
    outputs = []
    for sequence in encoded.sequences:
        scores = np.random.default_rng(0).normal(0, 0.1, (len(sequence.units), 2))
        if sequence.gold != (0, 0):
            scores[sequence.gold[0], 0] += 5
            scores[sequence.gold[1], 1] += 5
        else:
            scores[0] += 9
        outputs.append((sequence, scores))
    assert encoded.task.answer(item, outputs, ("start", "end")) == item.answers[0].text


def test_an_answer_runs_forward_and_is_not_endless(encoder: Encoder, words: list[str]) -> None:
    item = question(words, 45, 3, words[0])
    [sequence] = encode_items(encoder, dataset("qa", item)).sequences[:1]
    scores = np.zeros((len(sequence.units), 2))
    scores[9, 0] = scores[4, 1] = scores[40, 1] = 5
    scores[12, 1] = 4
    answer = tasks.task_of("qa").answer(item, [(sequence, scores)], ())
    assert answer == item.context[sequence.places[9][0] : sequence.places[12][1]].strip()


def test_there_is_no_answer_only_where_there_may_be_none(encoder: Encoder, words: list[str]) -> None:
    item = question(words, 45, 3, words[0])
    [sequence] = encode_items(encoder, dataset("qa", item)).sequences[:1]
    scores = np.zeros((len(sequence.units), 2))
    scores[0] = 9
    assert tasks.task_of("qa").answer(item, [(sequence, scores)], ()) != ""
    assert tasks.task_of("qa").answer(replace(item, unanswerable=False), [(sequence, scores)], ()) == ""


def test_the_alternatives_of_a_choice_meet_in_one_batch(encoder: Encoder, words: list[str]) -> None:
    encoded = encode_items(encoder, dataset("choice", *choices(words, 9)))
    for indices in training_batches(encoded, 4, np.random.default_rng(0)):
        items = [encoded.sequences[index].item for index in indices]
        assert items[::2] == items[1::2]
        assert len(set(items)) == len(items) // 2


@pytest.mark.parametrize(
    ("kind", "made", "recipe"),
    [
        ("choice", choices, TaskAdapterRecipe(epochs=30, learning_rate=1e-2, reduction=1)),
        ("pairs", pairs, TaskAdapterRecipe(epochs=20, learning_rate=1e-2, reduction=1)),
    ],
)
def test_what_can_be_learnt_by_heart_is(encoder: Encoder, words: list[str], kind: str, made: Any, recipe: Any) -> None:
    data = dataset(kind, *made(words, 48))
    head, _ = train_task_adapter(
        encoder, "t", CachedText(encoder, [data], language=None), recipe, labels=data.labels, seed=0
    )
    [outcomes] = evaluate(encoder, data, encode_items(encoder, data), None, [Contestant("t", head)])
    assert (score(outcomes) or 0) > (score(data.rules.constant(data.items, "qac")) or 0) + 0.35


def test_answers_to_questions_are_learnt_bit_by_bit_the_same(encoder: Encoder, words: list[str]) -> None:
    rng = np.random.default_rng(0)
    asked = []
    for number in range(40):
        at = int(rng.integers(0, 20))
        item = question(list(rng.permutation(words)), 20, at, "")
        asked.append(replace(item, id=str(number), question=item.answers[0].text))
    data = dataset("qa", *asked)
    recipe = TaskAdapterRecipe(epochs=25, learning_rate=1e-2, reduction=1)
    found = []
    for name in ("one", "two"):
        head, _ = train_task_adapter(
            encoder, name, CachedText(encoder, [data], language=None), recipe, labels=data.labels, seed=0
        )
        [outcomes] = evaluate(encoder, data, encode_items(encoder, data), None, [Contestant(name, head)])
        found.append(outcomes)
    assert found[0] == found[1]
    assert (score(found[0]) or 0) > 3 * (score(data.rules.constant(data.items, "qac")) or 0)


@pytest.mark.parametrize(("prefix", "read"), [(False, ["In", "ĠParis", "Ġnow"]), (True, ["ĠIn", "ĠParis", "Ġnow"])])
def test_words_of_a_byte_level_tokenizer_keep_the_space_before_them(
    encoder: Encoder, prefix: bool, read: list[str]
) -> None:
    vocabulary = {name: at for at, name in enumerate(["<unk>", "In", "ĠIn", "Paris", "ĠParis", "now", "Ġnow"])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=prefix, use_regex=True)
    encoder.tokenizer = tokenizer
    words = Pieces(encoder).words(["In", "Paris", "now"])
    assert [tokenizer.id_to_token(id_) for word in words for id_ in word] == read
    assert tokenizer.encode("In Paris now").tokens == read


class Parity(Task[LabelledPair]):
    """Whether a text has an even number of words: a task of one's own, of a pair's first text."""

    name: ClassVar[str] = "parity"
    metric: ClassVar[str] = "accuracy"
    columns: ClassVar[dict[str, str | tuple[str, ...] | None]] = {"id": "id", "text": "text"}

    def item(self, row: Row, said: Said) -> LabelledPair:
        text = row.text(str(said.columns["text"]))
        return LabelledPair(row.text("id"), text, "", "even" if len(text.split()) % 2 == 0 else "odd")

    def gold(self, item: LabelledPair) -> tuple[str]:
        return (item.label,)

    def encode(self, pieces: Pieces, number: int, item: LabelledPair) -> Iterator[TokenSequence]:
        ids = pieces.text(item.first).ids
        yield pieces.single(number, ids[: pieces.room], item.label, cut=len(ids) > pieces.room)


def test_a_task_of_ones_own_is_one_class(encoder: Encoder, words: list[str], tmp_path: Path) -> None:
    if "parity" not in tasks.kinds():
        tasks.register(Parity())
    rows = "".join(f"{n}\t{' '.join(words[: 1 + n % 4])}\n" for n in range(24))
    (tmp_path / "a.tsv").write_text("id\ttext\n" + rows, encoding="utf-8")
    (tmp_path / "corpora.yaml").write_text(
        "corpora: [{name: own, format: tsv, kind: parity, task: parity, language: qac, train: a.tsv}]\n",
        encoding="utf-8",
    )
    data = open_corpora(tmp_path).dataset("parity", "qac", "train")
    recipe = TaskAdapterRecipe(epochs=30, learning_rate=1e-2, reduction=1)
    head, _ = train_task_adapter(
        encoder, "t", CachedText(encoder, [data], language=None), recipe, labels=data.labels, seed=0
    )
    [outcomes] = evaluate(encoder, data, encode_items(encoder, data), None, [Contestant("t", head)])
    assert score(outcomes) == 1


def test_two_kinds_of_one_name_are_refused() -> None:
    class Other(Parity):
        name: ClassVar[str] = "pairs"

    with pytest.raises(ValueError, match="'pairs' already"):
        tasks.register(Other())
    with pytest.raises(ValueError, match=re.escape("kind 'pair' is not one of")):
        tasks.task_of("pair")
