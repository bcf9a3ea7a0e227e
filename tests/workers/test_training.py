"""Training one adapter: repeatable by its seed, better at the end than at the start, and loud when it fails."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from adapters_zoo.backbone import Encoder
from adapters_zoo.heads import Head
from adapters_zoo.recipes import LanguageAdapterRecipe, ShiftRecipe, TaskAdapterRecipe
from adapters_zoo.sources import check_encoder
from workers.corpora import open_corpora
from workers.corpora.types import Dataset
from workers.encoding import collate, token_stream
from workers.hidden_states import CachedText
from workers.language_modelling import mask_tokens, packed_batch, shift_encoder, train_language_adapter
from workers.training import TrainingError, TrainingResult, train_task_adapter

LANGUAGE = LanguageAdapterRecipe(steps=3, tokens=256, length=32)
SHIFT = ShiftRecipe(learning_rate=1e-3, warm_up=2, tokens=256, length=32)
TASK = TaskAdapterRecipe(epochs=1, batch=16, learning_rate=3e-3, reduction=2, max_items=32)
LABELS = {"board": ("black", "white"), "corner": ("corner", "none")}


@pytest.fixture
def encoder(tiny_encoder_folder: Path) -> Encoder:
    return Encoder(check_encoder(tiny_encoder_folder))


@pytest.fixture(scope="module")
def sentences(tiny_corpora: Path) -> tuple[str, ...]:
    return open_corpora(tiny_corpora).text("qaa").sentences  # type: ignore[union-attr]


@pytest.fixture(scope="module")
def data(tiny_corpora: Path) -> Callable[..., Dataset]:
    corpora = open_corpora(tiny_corpora)
    return lambda task, language="qaa": corpora.dataset(task, language, "train")


def train_task(
    encoder: Encoder,
    name: str,
    dataset: Dataset,
    recipe: TaskAdapterRecipe = TASK,
    *,
    language: str | None = None,
    seed: int = 0,
) -> tuple[Head, float]:
    text = CachedText(encoder, [dataset.first(recipe.max_items)], language=language)
    head, result = train_task_adapter(encoder, name, text, recipe, labels=LABELS[dataset.task], seed=seed)
    return head, result.loss


def same(one: dict[str, Tensor], other: dict[str, Tensor]) -> bool:
    return all(torch.equal(weight, other[key]) for key, weight in one.items())


def test_language_adapter_is_decided_by_its_seed(encoder: Encoder, sentences: tuple[str, ...]) -> None:
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        train_language_adapter(encoder, name, sentences, LANGUAGE.model_copy(update={"seed": seed}))
    weights = [encoder.parameters_of(name) for name in "abc"]
    assert same(weights[0], weights[1])
    assert not same(weights[0], weights[2])


def test_task_adapter_and_head_are_decided_by_their_seed(encoder: Encoder, data: Callable[..., Dataset]) -> None:
    heads = [train_task(encoder, name, data("corner"), seed=seed)[0] for name, seed in (("a", 5), ("b", 5), ("c", 6))]
    weights = [encoder.parameters_of(name) for name in "abc"]
    assert same(weights[0], weights[1])
    assert not same(weights[0], weights[2])
    assert same(heads[0].state_dict(), heads[1].state_dict())
    assert not same(heads[0].state_dict(), heads[2].state_dict())


def test_what_else_the_encoder_holds_changes_nothing(
    encoder: Encoder, tiny_encoder_folder: Path, sentences: tuple[str, ...]
) -> None:
    train_language_adapter(encoder, "before", sentences, LANGUAGE.model_copy(update={"seed": 9}))
    train_language_adapter(encoder, "a", sentences, LANGUAGE)
    alone = Encoder(check_encoder(tiny_encoder_folder))
    train_language_adapter(alone, "a", sentences, LANGUAGE)
    assert same(alone.parameters_of("a"), encoder.parameters_of("a"))


def test_language_modelling_gets_better(encoder: Encoder, sentences: tuple[str, ...]) -> None:
    recipe = LANGUAGE.model_copy(update={"learning_rate": 1e-2})
    first = train_language_adapter(encoder, "short", sentences, recipe.model_copy(update={"steps": 1}))
    last = train_language_adapter(encoder, "long", sentences, recipe.model_copy(update={"steps": 120}))
    assert last.loss < first.loss - 0.3
    assert last.seconds > 0


@pytest.mark.parametrize("task", ["board", "corner"])
def test_task_is_learnt(encoder: Encoder, data: Callable[..., Dataset], task: str) -> None:
    few = replace(data(task), items=data(task).items[:12])
    _, first = train_task(encoder, "short", few)
    _, last = train_task(encoder, "long", few, TASK.model_copy(update={"epochs": 100, "learning_rate": 1e-2}))
    assert last < first / 2


def test_task_adapter_learns_over_a_frozen_language_adapter(
    encoder: Encoder, sentences: tuple[str, ...], data: Callable[..., Dataset]
) -> None:
    train_language_adapter(encoder, "l", sentences, LANGUAGE)
    before = {key: weight.clone() for key, weight in encoder.parameters_of("l").items()}
    train_task(encoder, "over", data("corner"), language="l")
    train_task(encoder, "bare", data("corner"))
    assert same(before, encoder.parameters_of("l"))
    assert not same(encoder.parameters_of("over"), encoder.parameters_of("bare"))


@pytest.mark.parametrize("leave_out", [0, 1])
@pytest.mark.parametrize("language", [None, "l"])
def test_prefix_kept_between_epochs_is_the_pass_itself(
    encoder: Encoder, sentences: tuple[str, ...], data: Callable[..., Dataset], language: str | None, leave_out: int
) -> None:
    train_language_adapter(encoder, "l", sentences, LANGUAGE)
    encoder.add_task_adapter("t", reduction=2, leave_out=leave_out)
    text = CachedText(encoder, [data("board").first(40)], language=language)
    indices = [31, 2, 17]
    batch = collate(text.encoded, indices, encoder.special.pad)
    kept, fresh = text.seam(batch, indices, "t"), encoder.seam(batch.ids, batch.mask, language=language, task="t")
    there = batch.mask.bool()
    assert kept.layer == fresh.layer == leave_out
    sums = [seam.layout.spread(seam.sum)[there] for seam in (kept, fresh)]
    torch.testing.assert_close(*sums, rtol=0, atol=1e-5)
    states = [encoder.above(seam, language=language, task="t")[there] for seam in (kept, fresh)]
    torch.testing.assert_close(*states, rtol=0, atol=1e-5)


def test_prefix_that_another_seed_left_changes_nothing(encoder: Encoder, data: Callable[..., Dataset]) -> None:
    shared = CachedText(encoder, [data("corner")], language=None)
    for name, seed in (("first", 0), ("second", 1)):
        train_task_adapter(encoder, name, shared, TASK, labels=LABELS["corner"], seed=seed)
    alone = CachedText(encoder, [data("corner")], language=None)
    train_task_adapter(encoder, "alone", alone, TASK, labels=LABELS["corner"], seed=1)
    assert same(encoder.parameters_of("second"), encoder.parameters_of("alone"))


def test_task_adapter_learns_from_several_languages(encoder: Encoder, data: Callable[..., Dataset]) -> None:
    both, one = [data("corner"), data("corner", "qab")], [data("corner")]
    for name, datasets in (("both", both), ("one", one)):
        text = CachedText(encoder, datasets, language=None)
        train_task_adapter(encoder, name, text, TASK, labels=LABELS["corner"], seed=0)
    assert not same(encoder.parameters_of("both"), encoder.parameters_of("one"))


def shifted(
    encoder: Encoder, sentences: Sequence[str], recipe: ShiftRecipe, *budgets: int
) -> dict[int, tuple[float, dict[str, Tensor]]]:
    """After each budget the loss of the last steps, and the weights."""
    kept = {}

    def keep(steps: int, weights: Mapping[str, Tensor], result: TrainingResult) -> None:
        kept[steps] = result.loss, {name: weight.clone() for name, weight in weights.items()}

    shift_encoder(encoder, sentences, recipe, budgets, keep)
    return kept


def test_an_encoder_on_the_way_is_the_encoder_of_a_run_of_so_many_steps(
    encoder: Encoder, sentences: tuple[str, ...]
) -> None:
    way = shifted(encoder, sentences, SHIFT, 1, 3, 6)
    assert list(way) == [1, 3, 6]
    for steps, (loss, weights) in way.items():
        alone = shifted(encoder, sentences, SHIFT, steps)[steps]
        assert alone[0] == loss
        assert alone[1].keys() == weights.keys()
        assert same(weights, alone[1])
    assert not same(way[3][1], way[6][1])


def test_a_shift_is_decided_by_its_seed(encoder: Encoder, sentences: tuple[str, ...]) -> None:
    one, again, other = (
        shifted(encoder, sentences, SHIFT.model_copy(update={"seed": seed}), 2)[2][1] for seed in (0, 0, 1)
    )
    assert same(one, again)
    assert not same(one, other)


def test_a_shift_changes_every_weight_and_leaves_the_encoder_as_it_was(
    encoder: Encoder, sentences: tuple[str, ...]
) -> None:
    before = {name: weight.detach().clone() for name, weight in encoder.own.items()}
    weights = shifted(encoder, sentences, SHIFT, 2)[2][1]
    assert weights.keys() == before.keys()
    assert same(before, dict(encoder.own))


def test_what_else_the_encoder_holds_does_not_change_a_shift(encoder: Encoder, sentences: tuple[str, ...]) -> None:
    alone = shifted(encoder, sentences, SHIFT, 2)[2][1]
    train_language_adapter(encoder, "l", sentences, LANGUAGE)
    adapter = {name: weight.clone() for name, weight in encoder.parameters_of("l").items()}
    assert same(alone, shifted(encoder, sentences, SHIFT, 2)[2][1])
    assert same(adapter, encoder.parameters_of("l"))


def test_a_shifted_encoder_models_its_language_better(encoder: Encoder, sentences: tuple[str, ...]) -> None:
    weights = shifted(encoder, sentences[:200], SHIFT, 60)[60][1]
    stream = token_stream(encoder, sentences[200:])
    torch.manual_seed(0)
    ids = packed_batch(stream, np.arange(0, len(stream) - 32, 31), 32, encoder.special.begin)
    held = mask_tokens(ids, 0.15, encoder.vocabulary)

    def loss() -> float:
        with torch.inference_mode():
            logits = encoder.masked_language_logits(encoder.hidden_at(held.ids, held.chosen))
        return float(torch.nn.functional.cross_entropy(logits, held.targets))

    frozen = loss()
    with encoder.shifted(weights):
        assert loss() < frozen - 0.1


def test_a_diverging_shift_says_what_to_lower_and_leaves_the_encoder_as_it_was(
    encoder: Encoder, sentences: tuple[str, ...]
) -> None:
    before = {name: weight.detach().clone() for name, weight in encoder.own.items()}
    recipe = SHIFT.model_copy(update={"learning_rate": 1e30})
    with pytest.raises(TrainingError, match=r"the loss became nan at step \d of 4; lower learning_rate \(1e\+30\)"):
        shifted(encoder, sentences, recipe, 4)
    assert same(before, dict(encoder.own))


def test_a_last_step_that_diverged_is_not_kept(encoder: Encoder, sentences: tuple[str, ...]) -> None:
    with pytest.raises(TrainingError, match="the last step left weights that are not finite"):
        shifted(encoder, sentences, SHIFT.model_copy(update={"learning_rate": float("inf")}), 1)


def test_only_the_first_items_are_read_where_that_is_asked_for(encoder: Encoder, data: Callable[..., Dataset]) -> None:
    whole = data("corner")
    train_task(encoder, "limited", whole, TASK.model_copy(update={"max_items": 20}))
    train_task(encoder, "cut", replace(whole, items=whole.items[:20]))
    assert same(encoder.parameters_of("limited"), encoder.parameters_of("cut"))


def test_diverging_language_modelling_says_what_to_lower(encoder: Encoder, sentences: tuple[str, ...]) -> None:
    recipe = LANGUAGE.model_copy(update={"learning_rate": 1e30})
    with pytest.raises(TrainingError, match=r"the loss became nan at step \d of 3; lower learning_rate \(1e\+30\)"):
        train_language_adapter(encoder, "a", sentences, recipe)


@pytest.mark.parametrize(("epochs", "told"), [(1, "the last step left weights"), (2, "the loss became")])
def test_diverging_task_is_not_kept_even_if_only_the_last_step_diverged(
    encoder: Encoder, data: Callable[..., Dataset], epochs: int, told: str
) -> None:
    recipe = TASK.model_copy(update={"learning_rate": float("inf"), "epochs": epochs})
    few = replace(data("corner"), items=data("corner").items[:8])
    with pytest.raises(TrainingError, match=f"{told}.*; lower learning_rate"):
        train_task(encoder, "a", few, recipe)


def test_too_little_text_says_how_much_is_needed(encoder: Encoder, sentences: tuple[str, ...]) -> None:
    with pytest.raises(TrainingError, match=r"\d+ tokens of text are too few; at least 33 are needed"):
        train_language_adapter(encoder, "a", sentences[:1], LANGUAGE)
    assert encoder.names == ()
    with pytest.raises(TrainingError, match=r"\d+ tokens of text are too few; at least 33 are needed"):
        shifted(encoder, sentences[:1], SHIFT, 1)


def test_no_labelled_items_are_an_error(encoder: Encoder, data: Callable[..., Dataset]) -> None:
    with pytest.raises(TrainingError, match="not one labelled item"):
        train_task(encoder, "a", replace(data("corner"), items=()))
    assert encoder.names == ()


def test_progress_is_told(encoder: Encoder, sentences: tuple[str, ...]) -> None:
    told: list[tuple[int, int]] = []
    recipe = LANGUAGE.model_copy(update={"steps": 21, "tokens": 32})
    train_language_adapter(encoder, "a", sentences, recipe, tick=lambda done, of: told.append((done, of)))
    assert told == [(10, 21), (20, 21)]


def test_packed_rows_are_windows_of_the_stream() -> None:
    stream = np.arange(100, 140, dtype=np.int32)
    batch = packed_batch(stream, np.array([0, 33, 7]), 8, 0)
    assert batch.tolist() == [[0, *range(100 + at, 107 + at)] for at in (0, 33, 7)]


def test_masking_is_berts(encoder: Encoder) -> None:
    torch.manual_seed(0)
    ids = torch.randint(5, encoder.vocabulary.size, (200, 200))
    masked = mask_tokens(ids, 0.2, encoder.vocabulary)
    shown = masked.ids[masked.chosen]
    assert torch.equal(masked.targets, ids[masked.chosen])
    assert torch.equal(masked.ids[~masked.chosen], ids[~masked.chosen])
    assert float(masked.chosen.float().mean()) == pytest.approx(0.2, abs=0.01)
    assert float((shown == encoder.special.mask).float().mean()) == pytest.approx(0.8, abs=0.02)
    assert float((shown == masked.targets).float().mean()) == pytest.approx(0.1, abs=0.02)


def test_special_tokens_are_never_masked_and_something_always_is(encoder: Encoder) -> None:
    torch.manual_seed(0)
    ids = torch.tensor([[0, 9, 2, 1, 1]])
    for _ in range(50):
        masked = mask_tokens(ids, 0.01, encoder.vocabulary)
        assert masked.chosen.tolist() == [[False, True, False, False, False]]
