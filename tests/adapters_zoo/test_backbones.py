"""The contract that each architecture and each implementation of its passes is held to, in its own layout of ids."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from adapters.composition import Stack
from torch import Tensor, nn

from adapters_zoo.backbone import Encoder
from adapters_zoo.backbone.fast import FastBackbone
from adapters_zoo.backbone.library import LibraryBackbone
from adapters_zoo.backbone.opening import open_model
from adapters_zoo.recipes import LanguageAdapterRecipe, LowRankRecipe, TaskAdapterRecipe, TaskRecipe, TunedRecipe
from adapters_zoo.sources import check_encoder
from tests.adapters_zoo.layouts import (
    PIECES,
    bert,
    deberta_v2,
    deberta_v2_legacy,
    distilbert,
    modernbert,
    roberta,
    xlm_roberta,
)
from workers.corpora.types import CorpusOrigin, Dataset
from workers.encoding import encode_items
from workers.evaluation import Contestant, evaluate
from workers.hidden_states import CachedText
from workers.language_modelling import train_language_adapter
from workers.tasks.tagging import TaggedSentence
from workers.training import train_task_adapter

FAST = (xlm_roberta, roberta, bert)
LIBRARY = (*FAST, distilbert, deberta_v2, deberta_v2_legacy, modernbert)
EACH = [
    pytest.param(make, fast, id=f"{make.__name__}-{'fast' if fast else 'library'}")
    for makes, fast in ((FAST, True), (LIBRARY, False))
    for make in makes
]
LENGTHS = (6, 4, 17, 3, 11)
TASKS = ("bottleneck", "bottleneck_high", "lora", "lora_high", "full", "full_high")
"""One of each method in every layer, and one that leaves out the lowest."""

Make = Callable[[Path], Path]


def text(encoder: Encoder) -> tuple[Tensor, Tensor]:
    """Ids of ordinary pieces between the tokens that begin and end a text, padded; and their mask."""
    ordinary, special = encoder.vocabulary.ordinary, encoder.special
    ids = torch.full((len(LENGTHS), max(LENGTHS)), special.pad)
    for row, length in enumerate(LENGTHS):
        inner = ordinary[torch.arange(length - 2) * (row + 3) % len(ordinary)]
        ids[row, :length] = torch.cat((torch.tensor([special.begin]), inner, torch.tensor([special.end])))
    return ids, (torch.arange(max(LENGTHS)) < torch.tensor(LENGTHS)[:, None]).long()


def filled(encoder: Encoder) -> Encoder:
    """With language adapters ``l`` and ``k`` and the task adapters ``TASKS``, none near what it is untrained."""
    torch.manual_seed(1)
    encoder.add_language_adapter("l", reduction=2)
    encoder.add_language_adapter("k", reduction=2)
    for high, suffix in enumerate(("", "_high")):
        encoder.add_task_adapter(f"bottleneck{suffix}", reduction=4, leave_out=high)
        encoder.add_low_rank(f"lora{suffix}", rank=3, alpha=6, leave_out=high)
        encoder.add_tuned(f"full{suffix}", leave_out=high)
    for name in encoder.names:
        with encoder.train(name, dropout=False) as parameters, torch.no_grad():
            for weight in parameters:
                weight.add_(torch.randn(weight.shape) / 5)
    return encoder


@pytest.fixture(scope="module")
def encoders(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Encoder]:
    """An encoder of a layout with every adapter; made once a module, so tests leave it as it is."""
    made: dict[tuple[Make, bool, str], Encoder] = {}
    folders: dict[Make, Path] = {}

    def encoder(make: Make, fast: bool, precision: str = "fp32") -> Encoder:
        if make not in folders:
            folders[make] = make(tmp_path_factory.mktemp(make.__name__))
        if (make, fast, precision) not in made:
            files = check_encoder(folders[make])
            made[make, fast, precision] = filled(Encoder(files, precision=precision, fast=fast))
        return made[make, fast, precision]

    return encoder


def hidden(encoder: Encoder, language: str | None = None, task: str | None = None) -> Tensor:
    """States [tokens, hidden size] of all that is no padding."""
    ids, mask = text(encoder)
    with torch.no_grad():
        return encoder.hidden(ids, mask, language=language, task=task)[mask.bool()]


@pytest.mark.parametrize(("make", "fast"), EACH)
def test_the_engine_computes_what_it_knows_and_the_library_the_rest(
    encoders: Callable[..., Encoder], make: Make, fast: bool
) -> None:
    by_default = Encoder(encoders(make, fast).files).backbone
    assert isinstance(by_default, FastBackbone if make in FAST else LibraryBackbone)
    assert isinstance(encoders(make, fast).backbone, FastBackbone if fast else LibraryBackbone)


@pytest.mark.parametrize(("make", "fast"), EACH)
def test_states_without_adapters_are_those_of_the_files(
    encoders: Callable[..., Encoder], make: Make, fast: bool
) -> None:
    """As `transformers` reads them, before `adapters` has touched the model: that once added biases of its own."""
    encoder = encoders(make, fast)
    ids, mask = text(encoder)
    plain, _ = open_model(encoder.files)
    with torch.no_grad():
        theirs = plain.eval().base_model(input_ids=ids, attention_mask=mask).last_hidden_state[mask.bool()]
    torch.testing.assert_close(hidden(encoder), theirs, rtol=0, atol=1e-5)
    assert encoder.own.keys() == dict(plain.named_parameters()).keys()


@pytest.mark.parametrize(("make", "fast"), EACH)
@pytest.mark.parametrize("language", [None, "l"])
@pytest.mark.parametrize("task", [None, "bottleneck", "bottleneck_high"])
def test_states_are_those_of_the_library(
    encoders: Callable[..., Encoder], make: Make, fast: bool, language: str | None, task: str | None
) -> None:
    encoder = encoders(make, fast)
    ours, (ids, mask) = hidden(encoder, language, task), text(encoder)
    parts = [part for part in (language, task) if part is not None]
    encoder.model.set_active_adapters(Stack(*parts) if parts else None)
    with torch.no_grad():
        theirs = encoder.model.base_model(input_ids=ids, attention_mask=mask).last_hidden_state[mask.bool()]
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-5)


@pytest.mark.parametrize(("make", "fast"), EACH)
def test_logits_are_those_of_the_library_and_can_be_asked_of_some_ids(
    encoders: Callable[..., Encoder], make: Make, fast: bool
) -> None:
    encoder = encoders(make, fast)
    ids, mask = text(encoder)
    encoder.model.set_active_adapters(None)
    with torch.no_grad():
        theirs = encoder.model(input_ids=ids, attention_mask=mask).logits[mask.bool()]
        torch.testing.assert_close(encoder.masked_language_logits(hidden(encoder)), theirs, rtol=0, atol=1e-5)
        states, among = hidden(encoder, "l"), torch.tensor([7, 3, 30])
        every = encoder.masked_language_logits(states, language="l")
        some = encoder.masked_language_logits(states, language="l", among=among)
    torch.testing.assert_close(some, every[:, among], rtol=0, atol=1e-5)
    assert not torch.allclose(every, theirs, atol=0.1)


@pytest.mark.parametrize("make", FAST)
@pytest.mark.parametrize("language", [None, "l"])
@pytest.mark.parametrize("task", [None, *TASKS])
@pytest.mark.parametrize(("precision", "tolerance"), [("fp32", 2e-5), ("bf16", 0.15)])
def test_the_engine_and_the_library_compute_the_same(
    encoders: Callable[..., Encoder],
    make: Make,
    language: str | None,
    task: str | None,
    precision: str,
    tolerance: float,
) -> None:
    """States are of size 1 to 5; bf16 has 8 bits."""
    fast, slow = (hidden(encoders(make, fast, precision), language, task) for fast in (True, False))
    torch.testing.assert_close(fast, slow, rtol=0, atol=tolerance)


@pytest.mark.parametrize("make", FAST)
@pytest.mark.parametrize("name", ["l", *TASKS])
def test_the_engine_and_the_library_form_the_same_gradients(
    encoders: Callable[..., Encoder], make: Make, name: str
) -> None:
    fast, slow = (gradients(encoders(make, fast), name) for fast in (True, False))
    assert fast.keys() == slow.keys()
    for key, gradient in fast.items():
        torch.testing.assert_close(gradient, slow[key], rtol=1e-3, atol=1e-4, msg=key)


def weights(encoder: Encoder, name: str) -> list[nn.Parameter]:
    """What an adapter learns in, as training has it."""
    with encoder.train(name) as parameters:
        return parameters


def gradients(encoder: Encoder, name: str) -> dict[str, Tensor]:
    ids, mask = text(encoder)
    language, task = (name, None) if name == "l" else ("k", name)
    with encoder.train(name, dropout=False) as parameters:
        encoder.hidden(ids, mask, language=language, task=task)[mask.bool()].square().sum().backward()
        found = dict(zip(encoder.parameters_of(name), [weight.grad for weight in parameters], strict=True))
        for weight in parameters:
            weight.grad = None
    return found


@pytest.mark.parametrize(("make", "fast"), EACH)
@pytest.mark.parametrize("name", ["l", *TASKS])
def test_all_of_an_adapter_learns_and_nothing_else(
    encoders: Callable[..., Encoder], make: Make, fast: bool, name: str
) -> None:
    encoder = encoders(make, fast)
    assert all(bool(gradient.any()) for gradient in gradients(encoder, name).values() if gradient.dim() > 1)
    others = [weight for other in encoder.names if other != name for weight in weights(encoder, other)]
    assert all(weight.grad is None for weight in [*others, *encoder.own.values()])
    ids, mask = text(encoder)
    assert not encoder.hidden(ids, mask, language="l", task=name if name in TASKS else None).requires_grad


@pytest.mark.parametrize(("make", "fast"), EACH)
@pytest.mark.parametrize("language", [None, "l"])
@pytest.mark.parametrize("high", ["", "_high"])
def test_a_seam_serves_every_adapter_that_leaves_as_much_bit_by_bit(
    encoders: Callable[..., Encoder], make: Make, fast: bool, language: str | None, high: str
) -> None:
    encoder = encoders(make, fast)
    ids, mask = text(encoder)
    places: dict[int, list[str]] = {}
    for method in ("bottleneck", "lora", "full"):
        places.setdefault(encoder.lowest_layer(f"{method}{high}"), []).append(f"{method}{high}")
    assert {"lora" + high, "full" + high} <= {name for names in places.values() if len(names) > 1 for name in names}
    with torch.no_grad():
        for names in places.values():
            seam = encoder.seam(ids, mask, language=language, task=names[0])
            for name in names:
                above = encoder.above(seam, language=language, task=name)[mask.bool()]
                assert torch.equal(above, hidden(encoder, language, name))


@pytest.mark.parametrize(("make", "fast"), EACH)
def test_every_method_gives_other_states(encoders: Callable[..., Encoder], make: Make, fast: bool) -> None:
    states = [hidden(encoders(make, fast), language, task) for language in (None, "l") for task in (None, *TASKS)]
    for place, one in enumerate(states):
        assert not any(torch.allclose(one, other, atol=1e-3) for other in states[:place])


@pytest.mark.parametrize(("make", "fast"), EACH)
@pytest.mark.parametrize("name", ["l", *TASKS])
def test_an_adapter_survives_the_disk_bit_by_bit(
    encoders: Callable[..., Encoder], make: Make, fast: bool, name: str, tmp_path: Path
) -> None:
    encoder = encoders(make, fast)
    language, task = (name, None) if name == "l" else (None, name)
    before = hidden(encoder, language, task)
    encoder.save(name, tmp_path)
    again = Encoder(encoder.files, fast=fast)
    again.load(name, tmp_path)
    assert torch.equal(hidden(again, language, task), before)
    again.remove(name)
    assert again.names == ()
    assert torch.equal(hidden(again), hidden(encoder))


@pytest.mark.parametrize(("make", "fast"), EACH)
def test_padding_changes_nothing(encoders: Callable[..., Encoder], make: Make, fast: bool) -> None:
    encoder = encoders(make, fast)
    ids, _ = text(encoder)
    for task in TASKS:
        with torch.no_grad():
            alone = encoder.hidden(ids[1:2, : LENGTHS[1]], language="l", task=task)[0]
        start = LENGTHS[0]
        torch.testing.assert_close(hidden(encoder, "l", task)[start : start + LENGTHS[1]], alone, rtol=0, atol=1e-5)


@pytest.mark.parametrize(("make", "fast"), EACH)
def test_weights_that_stand_in_are_read_and_then_are_not(
    encoders: Callable[..., Encoder], make: Make, fast: bool
) -> None:
    encoder = encoders(make, fast)
    before = hidden(encoder, "l", "lora")
    with encoder.shifted({name: weight * 1.5 for name, weight in encoder.own.items()}):
        assert not torch.allclose(hidden(encoder, "l", "lora"), before, atol=0.1)
    with encoder.train_whole() as learning:
        for weight in learning.parameters.values():
            weight.detach().mul_(1.5)
        assert not torch.allclose(hidden(encoder, "l", "lora"), before, atol=0.1)
    assert torch.equal(hidden(encoder, "l", "lora"), before)


def tagged(split: str) -> Dataset:
    """Sentences whose pieces are tagged by their first letter."""
    items = tuple(
        TaggedSentence(str(start), words, tuple(word[0] for word in words))
        for start in range(40)
        for words in [tuple(PIECES[(start + 7 * step) % len(PIECES)] for step in range(6))]
    )
    return Dataset("letter", "tagging", "deu", split, items, CorpusOrigin("letters", (), None, None))


@pytest.mark.parametrize(("make", "fast"), EACH)
@pytest.mark.parametrize(
    "recipe",
    [
        TaskAdapterRecipe(epochs=12, learning_rate=1e-2, reduction=1),
        LowRankRecipe(epochs=12, learning_rate=1e-2, rank=16, leave_out=1),
        TunedRecipe(epochs=12, learning_rate=1e-2),
    ],
)
def test_a_task_is_learnt_over_a_language_adapter_and_evaluated(
    make: Make, fast: bool, recipe: TaskRecipe, tmp_path: Path
) -> None:
    encoder, train = Encoder(check_encoder(make(tmp_path)), fast=fast), tagged("train")
    sentences = [" ".join(item.tokens) for item in train.items]
    language = train_language_adapter(
        encoder, "l", sentences, LanguageAdapterRecipe(steps=5, tokens=128, length=16, others=4)
    )
    assert language.loss > 0
    prefix = CachedText(encoder, [train], language="l", dropout=recipe.dropout)
    head, _ = train_task_adapter(encoder, "t", prefix, recipe, labels=list("abcdefgh"), seed=0)
    outcomes = evaluate(encoder, train, encode_items(encoder, train), "l", [Contestant("t", head)])[0]
    assert sum(right for right, _ in outcomes) > 0.4 * sum(total for _, total in outcomes)
