"""The encoder and its adapters: what a pass computes, what learns, what is refused."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import transformers
from adapters.composition import Stack
from safetensors.torch import load_file, save_file
from torch import Tensor

from adapters_zoo.backbone import Encoder
from adapters_zoo.sources import check_encoder
from adapters_zoo.tokens import SpecialTokens

LENGTHS = (6, 4, 41, 3, 20, 29, 2, 35)
"""So different that most of the padding takes no part in a pass."""
IDS = torch.ones(len(LENGTHS), max(LENGTHS), dtype=torch.long)
for row, length in enumerate(LENGTHS):
    IDS[row, :length] = torch.arange(length) * (row + 3) % 36 + 5
MASK = (IDS != 1).long()
PARTS = [(None, None), ("l1", None), (None, "t1"), ("l1", "t1"), ("l2", "t1"), ("l1", "t2"), ("l1", "high")]


def hidden(encoder: Encoder, language: str | None = None, task: str | None = None) -> Tensor:
    with torch.inference_mode():
        return encoder.hidden(IDS, MASK, language=language, task=task)


def by_the_library(encoder: Encoder, language: str | None, task: str | None) -> Tensor:
    """The same states as `transformers` and `adapters` compute them."""
    parts = [part for part in (language, task) if part is not None]
    encoder.model.set_active_adapters(Stack(*parts) if parts else None)
    bf16 = torch.autocast("cpu", torch.bfloat16, enabled=encoder.precision == "bf16")
    with torch.inference_mode(), bf16:
        states: Tensor = encoder.model.base_model(input_ids=IDS, attention_mask=MASK).last_hidden_state
    return states.float()


@pytest.mark.parametrize(("language", "task"), PARTS)
@pytest.mark.parametrize(("precision", "tolerance"), [("fp32", 1e-5), ("bf16", 2**-4)])
def test_states_are_those_of_the_library(
    with_adapters: Callable[..., Encoder], language: str | None, task: str | None, precision: str, tolerance: float
) -> None:
    encoder = with_adapters(precision)
    ours, theirs = hidden(encoder, language, task), by_the_library(encoder, language, task)
    there = MASK.bool()
    torch.testing.assert_close(ours[there], theirs[there], rtol=0, atol=tolerance)


@pytest.mark.parametrize("model_type", ["roberta", "bert"])
def test_states_and_logits_of_other_architectures_are_those_of_the_library(
    tiny_encoder_folder: Path, tmp_path: Path, model_type: str
) -> None:
    encoder = Encoder(check_encoder(remade(tiny_encoder_folder, tmp_path, model_type)))
    encoder.add_language_adapter("l", reduction=2)
    there = MASK.bool()
    ours = hidden(encoder, "l")
    torch.testing.assert_close(ours[there], by_the_library(encoder, "l", None)[there], rtol=0, atol=1e-5)
    encoder.model.set_active_adapters(None)
    with torch.inference_mode():
        theirs = encoder.model(input_ids=IDS, attention_mask=MASK).logits[there]
        logits = encoder.masked_language_logits(hidden(encoder)[there])
    torch.testing.assert_close(logits, theirs, rtol=0, atol=1e-4)


def remade(folder: Path, out: Path, model_type: str) -> Path:
    """The encoder of ``folder`` as a model of another type, its weights drawn anew."""
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    config_class, model_class = {
        "bert": (transformers.BertConfig, transformers.BertForMaskedLM),
        "roberta": (transformers.RobertaConfig, transformers.RobertaForMaskedLM),
    }[model_type]
    shape = {key: value for key, value in config.items() if key not in ("model_type", "architectures")}
    torch.manual_seed(0)
    model_class(config_class(**shape)).save_pretrained(out)
    shutil.copy(folder / "tokenizer.json", out)
    return out


@pytest.mark.parametrize("language", [None, "l1"])
@pytest.mark.parametrize("task", ["t1", "high"])
def test_seam_made_for_one_task_adapter_serves_another_bit_by_bit(
    with_adapters: Callable[..., Encoder], language: str | None, task: str
) -> None:
    encoder = with_adapters()
    other = {"t1": "t2", "high": "higher"}[task]
    with torch.inference_mode():
        seam = encoder.seam(IDS, MASK, language=language, task=task)
        assert torch.equal(encoder.above(seam, language=language, task=other), hidden(encoder, language, other))
    assert seam.layer == encoder.lowest_layer(task) == {"t1": 0, "high": 1}[task]


@pytest.mark.parametrize("language", [None, "l1"])
def test_states_at_chosen_positions_are_those_of_the_whole_pass(
    with_adapters: Callable[..., Encoder], language: str | None
) -> None:
    encoder = with_adapters()
    ids, chosen = IDS[:1, :6], torch.tensor([[False, True, False, True, True, False]])
    with torch.inference_mode():
        whole = encoder.hidden(ids, language=language)[chosen]
        torch.testing.assert_close(encoder.hidden_at(ids, chosen, language=language), whole, rtol=0, atol=1e-5)


def test_gradients_are_those_of_the_library(with_adapters: Callable[..., Encoder]) -> None:
    encoder = with_adapters()
    with encoder.train("t1") as parameters:
        encoder.hidden(IDS, MASK, language="l1", task="t1")[MASK.bool()].square().sum().backward()
        ours = [weight.grad.clone() for weight in parameters if weight.grad is not None]
        for weight in parameters:
            weight.grad = None
        encoder.model.set_active_adapters(Stack("l1", "t1"))
        states = encoder.model.base_model(input_ids=IDS, attention_mask=MASK).last_hidden_state
        states[MASK.bool()].square().sum().backward()
        theirs = [weight.grad for weight in parameters]
    assert len(ours) == len(parameters)
    for mine, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(mine, other, rtol=1e-4, atol=1e-4)


def test_dropout_of_the_encoder_falls_in_training_alone(tiny_encoder_folder: Path, tmp_path: Path) -> None:
    shutil.copytree(tiny_encoder_folder, tmp_path / "dropping")
    path = tmp_path / "dropping" / "config.json"
    config = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**config, "hidden_dropout_prob": 0.5}), encoding="utf-8")
    encoder = Encoder(check_encoder(path.parent))
    encoder.add_task_adapter("t", reduction=4)
    assert encoder.has_dropout
    calm = hidden(encoder, None, "t")
    with encoder.train("t"), torch.no_grad():
        first, second = (encoder.hidden(IDS, MASK, task="t") for _ in range(2))
    assert not torch.equal(first, second)
    assert torch.equal(hidden(encoder, None, "t"), calm)


def test_every_composition_gives_other_states(with_adapters: Callable[..., Encoder]) -> None:
    encoder = with_adapters()
    states = [hidden(encoder, *parts) for parts in PARTS]
    for place, one in enumerate(states):
        assert not any(torch.allclose(one, other, atol=1e-3) for other in states[:place])


def test_adapter_that_leaves_no_layer_is_refused(encoder: Encoder) -> None:
    with pytest.raises(ValueError, match="leave_out 2 leaves no layer: the encoder has 2"):
        encoder.add_task_adapter("t", reduction=4, leave_out=2)
    assert encoder.names == ()


def test_padding_changes_nothing(with_adapters: Callable[..., Encoder]) -> None:
    encoder = with_adapters()
    padded = hidden(encoder, "l1", "t1")[1, :4]
    with torch.inference_mode():
        alone = encoder.hidden(IDS[1:2, :4], language="l1", task="t1")[0]
    torch.testing.assert_close(padded, alone)


def test_only_the_trained_adapter_learns(with_adapters: Callable[..., Encoder]) -> None:
    encoder = with_adapters()
    before = {name: {key: w.clone() for key, w in encoder.parameters_of(name).items()} for name in encoder.names}
    base = hidden(encoder, None)
    with encoder.train("t1") as parameters:
        optimiser = torch.optim.SGD(parameters, lr=1.0)
        encoder.hidden(IDS, MASK, language="l1", task="t1").square().sum().backward()
        optimiser.step()
        got_gradients = {id(weight) for weight in encoder.model.parameters() if weight.grad is not None}
    assert got_gradients == {id(weight) for weight in parameters}
    for name in encoder.names:
        after = encoder.parameters_of(name)
        unchanged = [torch.equal(before[name][key], weight) for key, weight in after.items()]
        assert not any(unchanged) if name == "t1" else all(unchanged), name
    assert torch.equal(base, hidden(encoder, None))


@pytest.mark.parametrize("name", ["layer", "output", "dense", "adapters", "encoder", "F"])
def test_name_that_parts_of_the_encoder_have_too_trains_the_adapter_alone(encoder: Encoder, name: str) -> None:
    encoder.add_language_adapter("plain", reduction=2)
    encoder.add_language_adapter(name, reduction=2)
    with encoder.train(name) as parameters:
        sizes = [len(weight) for weight in parameters]
    assert sizes == [len(weight) for weight in encoder.parameters_of("plain").values()]


def test_nothing_learns_outside_the_block_even_after_an_error(with_adapters: Callable[..., Encoder]) -> None:
    encoder = with_adapters()
    with pytest.raises(ZeroDivisionError), encoder.train("t1"):
        raise ZeroDivisionError
    assert not encoder.hidden(IDS, MASK, language="l1", task="t1").requires_grad


def test_language_modelling_goes_back_through_the_invertible_adapter(with_adapters: Callable[..., Encoder]) -> None:
    encoder = with_adapters()
    states = hidden(encoder, "l1")[0]
    before = encoder.masked_language_logits(states, language="l1")
    assert before.shape == (len(states), encoder.vocabulary.size)
    for key, weight in encoder.parameters_of("l1").items():
        if key.startswith("invertible_adapters"):
            weight.mul_(2)
    assert not torch.allclose(before, encoder.masked_language_logits(states, language="l1"), atol=1e-3)


@pytest.mark.parametrize("language", [None, "l1"])
def test_logits_are_those_of_the_library_with_the_inverse_before_the_output_embeddings(
    with_adapters: Callable[..., Encoder], language: str | None
) -> None:
    encoder = with_adapters()
    encoder.model.set_active_adapters(Stack(language) if language else None)
    head = encoder.model.lm_head
    with torch.no_grad():
        states = hidden(encoder, language)[0]
        transformed = head.layer_norm(torch.nn.functional.gelu(head.dense(states)))
        restored = encoder.model.base_model.invertible_adapters_forward(transformed[None], rev=True)[0]
        again = encoder.model.base_model.invertible_adapters_forward(restored[None])[0]
        expected = torch.nn.functional.linear(restored, head.decoder.weight, head.bias)
        torch.testing.assert_close(again, transformed)
        torch.testing.assert_close(encoder.masked_language_logits(states, language=language), expected)


@pytest.mark.parametrize(("language", "task"), [("L1", None), (None, "T1"), ("l1", "nope")])
def test_misspelt_adapter_is_not_skipped(
    with_adapters: Callable[..., Encoder], language: str | None, task: str | None
) -> None:
    with pytest.raises(KeyError, match="no adapter"):
        hidden(with_adapters(), language, task)


def test_misspelt_adapter_can_be_neither_trained_nor_removed(with_adapters: Callable[..., Encoder]) -> None:
    encoder = with_adapters()
    with pytest.raises(KeyError, match="no adapter 'nope'; loaded: l1, l2, t1, t2, t3, high, higher"):
        encoder.remove("nope")
    with pytest.raises(KeyError, match="no adapter 'nope'"), encoder.train("nope"):
        pass


def test_removed_adapter_is_gone(with_adapters: Callable[..., Encoder]) -> None:
    encoder = with_adapters()
    before = hidden(encoder, "l1", "t1")
    encoder.remove("l2", "t2", "t3", "high", "higher")
    assert encoder.names == ("l1", "t1")
    assert torch.equal(before, hidden(encoder, "l1", "t1"))


@pytest.mark.parametrize(("name", "alone"), [("l1", ("other",)), ("t1", (None, "other"))])
def test_adapter_survives_the_disk_bit_by_bit(
    with_adapters: Callable[..., Encoder], encoder: Encoder, tmp_path: Path, name: str, alone: tuple[str | None, ...]
) -> None:
    trained = with_adapters()
    trained.save(name, tmp_path / "a" / "b")
    encoder.load("other", tmp_path / "a" / "b")
    mine = tuple(name if part == "other" else part for part in alone)
    assert torch.equal(hidden(encoder, *alone), hidden(trained, *mine))


def test_adapter_of_another_shape_is_refused(encoder: Encoder, wider_folder: Path, tmp_path: Path) -> None:
    wider = Encoder(check_encoder(wider_folder))
    wider.add_language_adapter("l", reduction=2)
    wider.save("l", tmp_path / "l")
    with pytest.raises(ValueError, match="made for another encoder"):
        encoder.load("l", tmp_path / "l")
    assert encoder.names == ()


@pytest.mark.parametrize("change", ["missing", "renamed"])
def test_weights_that_are_not_exactly_those_asked_for_are_refused(
    with_adapters: Callable[..., Encoder], encoder: Encoder, tmp_path: Path, change: str
) -> None:
    with_adapters().save("l1", tmp_path)
    weights = load_file(tmp_path / "adapter.safetensors")
    key = next(iter(weights))
    removed = weights.pop(key)
    if change == "renamed":
        weights[key.replace("layer.0", "layer.9")] = removed
    save_file(weights, tmp_path / "adapter.safetensors")
    with pytest.raises(ValueError, match="parameters do not match"):
        encoder.load("l1", tmp_path)
    assert encoder.names == ()


@pytest.mark.parametrize("beside", [None, "head.safetensors"])
def test_pickled_adapter_is_refused(
    with_adapters: Callable[..., Encoder], encoder: Encoder, tmp_path: Path, beside: str | None
) -> None:
    with_adapters().save("l1", tmp_path)
    torch.save(load_file(tmp_path / "adapter.safetensors"), tmp_path / "pytorch_adapter.bin")
    (tmp_path / "adapter.safetensors").unlink()
    if beside is not None:
        save_file({"linear.weight": torch.zeros(1)}, tmp_path / beside)
    with pytest.raises(ValueError, match=r"no adapter\.safetensors"):
        encoder.load("l1", tmp_path)


def test_truncated_weights_are_refused(with_adapters: Callable[..., Encoder], encoder: Encoder, tmp_path: Path) -> None:
    with_adapters().save("l1", tmp_path)
    content = (tmp_path / "adapter.safetensors").read_bytes()
    (tmp_path / "adapter.safetensors").write_bytes(content[: len(content) // 2])
    with pytest.raises(ValueError, match="unreadable"):
        encoder.load("l1", tmp_path)
    assert encoder.names == ()


def test_loaded_adapter_is_not_overwritten(with_adapters: Callable[..., Encoder], tmp_path: Path) -> None:
    encoder = with_adapters()
    encoder.save("l1", tmp_path)
    with pytest.raises(ValueError, match="an adapter 'l2' is loaded already"):
        encoder.load("l2", tmp_path)


def test_encoder_says_what_it_takes(encoder: Encoder) -> None:
    assert (encoder.hidden_size, encoder.max_length, encoder.names) == (32, 64, ())
    assert encoder.tokenizer.get_vocab_size() == encoder.vocabulary.size
    assert encoder.special.all == (0, 1, 2, 3, 4)
    longest = torch.full((1, encoder.max_length), 9)
    assert encoder.hidden(longest).shape == (1, 64, 32)


def test_tokenizer_without_the_special_tokens_is_refused(encoder: Encoder) -> None:
    vocabulary = encoder.tokenizer.to_str().replace("<mask>", "<hide>")
    with pytest.raises(ValueError, match=r"neither <s> <pad> </s> <unk> <mask> nor \[CLS\]"):
        SpecialTokens.of(type(encoder.tokenizer).from_str(vocabulary))
