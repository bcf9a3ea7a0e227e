"""The encoder and its adapters: what is active, what learns, what is refused."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from adapters_zoo.library import Encoder, SpecialTokens
from adapters_zoo.sources import check_encoder

IDS = torch.tensor([[0, 17, 40, 23, 9, 2], [0, 30, 31, 2, 1, 1]])
MASK = (IDS != 1).long()
TASKS = ["t1", "t2", "t3"]


def hidden(encoder: Encoder, language: str | None, *tasks: str) -> Tensor:
    encoder.activate(language, tasks)
    with torch.inference_mode():
        return encoder.hidden(IDS, MASK)


@pytest.mark.parametrize("language", [None, "l1"])
def test_task_adapters_side_by_side_equal_one_by_one(with_adapters: Callable[..., Encoder], language: str) -> None:
    encoder = with_adapters()
    together = hidden(encoder, language, *TASKS)
    for name, part in zip(TASKS, together.split(len(IDS)), strict=True):
        assert torch.equal(part, hidden(encoder, language, name))


@pytest.mark.parametrize("language", [None, "l1"])
def test_side_by_side_equals_one_by_one_in_bf16_but_for_its_rounding(
    with_adapters: Callable[..., Encoder], language: str
) -> None:
    encoder = with_adapters("bf16")
    together = hidden(encoder, language, *TASKS)
    for name, part in zip(TASKS, together.split(len(IDS)), strict=True):
        torch.testing.assert_close(part, hidden(encoder, language, name), rtol=2**-6, atol=2**-6)


def test_every_composition_gives_other_states(with_adapters: Callable[..., Encoder]) -> None:
    encoder = with_adapters()
    setups = [(None,), ("l1",), ("l2",), (None, "t1"), ("l1", "t1"), ("l2", "t1"), ("l1", "t2")]
    states = [hidden(encoder, *setup) for setup in setups]
    for place, one in enumerate(states):
        assert not any(torch.allclose(one, other, atol=1e-3) for other in states[:place])


def test_order_of_task_adapters_is_the_order_of_the_parts(with_adapters: Callable[..., Encoder]) -> None:
    encoder = with_adapters()
    forth, back = hidden(encoder, "l1", "t1", "t2"), hidden(encoder, "l1", "t2", "t1")
    assert torch.equal(forth, back.roll(len(IDS), 0))


def test_padding_changes_nothing(with_adapters: Callable[..., Encoder]) -> None:
    encoder = with_adapters()
    padded = hidden(encoder, "l1", "t1")[1, :4]
    with torch.inference_mode():
        alone = encoder.hidden(IDS[1:, :4])[0]
    torch.testing.assert_close(padded, alone)


def test_only_the_trained_adapter_learns(with_adapters: Callable[..., Encoder]) -> None:
    encoder = with_adapters()
    before = {name: {key: w.clone() for key, w in encoder.parameters_of(name).items()} for name in encoder.names}
    base = hidden(encoder, None)
    encoder.activate("l1", ["t1"])
    with encoder.train("t1") as parameters:
        optimiser = torch.optim.SGD(parameters, lr=1.0)
        encoder.hidden(IDS, MASK).square().sum().backward()
        optimiser.step()
        got_gradients = {id(weight) for weight in encoder._model.parameters() if weight.grad is not None}
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
    encoder.activate("l1", ["t1"])
    with pytest.raises(ZeroDivisionError), encoder.train("t1"):
        raise ZeroDivisionError
    assert not encoder.hidden(IDS, MASK).requires_grad


def test_language_modelling_goes_back_through_the_invertible_adapter(with_adapters: Callable[..., Encoder]) -> None:
    encoder = with_adapters()
    states = hidden(encoder, "l1")[0]
    encoder.activate("l1")
    before = encoder.masked_language_logits(states)
    assert before.shape == (len(states), encoder.vocabulary)
    for key, weight in encoder.parameters_of("l1").items():
        if key.startswith("invertible_adapters"):
            weight.mul_(2)
    assert not torch.allclose(before, encoder.masked_language_logits(states), atol=1e-3)


def test_it_is_the_inverse_that_stands_before_the_output_embeddings(with_adapters: Callable[..., Encoder]) -> None:
    encoder = with_adapters()
    read: list[Tensor] = []
    head = encoder._model.lm_head
    head.decoder.register_forward_pre_hook(lambda _module, given: read.append(given[0]))
    with torch.no_grad():
        states = encoder.hidden(IDS[:1])[0]
        encoder.activate("l1")
        encoder.masked_language_logits(states)
        transformed = head.layer_norm(torch.nn.functional.gelu(head.dense(states)))
        again = encoder._base.invertible_adapters_forward(read[0].unsqueeze(0))[0]
    torch.testing.assert_close(again, transformed)
    assert not torch.allclose(read[0], transformed, atol=1e-3)


def test_language_modelling_without_an_adapter_is_the_encoders_own(with_adapters: Callable[..., Encoder]) -> None:
    encoder = with_adapters()
    bare = encoder.masked_language_logits(hidden(encoder, None)[0])
    encoder.activate("l1")
    assert not torch.allclose(bare, encoder.masked_language_logits(hidden(encoder, "l1")[0]), atol=1e-3)
    for weight in encoder.parameters_of("l1").values():
        weight.zero_()
    torch.testing.assert_close(bare, encoder.masked_language_logits(hidden(encoder, "l1")[0]))


@pytest.mark.parametrize(("language", "tasks"), [("L1", []), (None, ["T1"]), ("l1", ["t1", "nope"])])
def test_misspelt_adapter_is_not_skipped(
    with_adapters: Callable[..., Encoder], language: str | None, tasks: list[str]
) -> None:
    with pytest.raises(ValueError, match="No adapter with name"):
        with_adapters().activate(language, tasks)


def test_misspelt_adapter_can_be_neither_trained_nor_removed(with_adapters: Callable[..., Encoder]) -> None:
    encoder = with_adapters()
    with pytest.raises(KeyError, match="no adapter 'nope'; loaded: l1, l2, t1, t2, t3"):
        encoder.remove("nope")
    with pytest.raises(KeyError, match="no adapter 'nope'"), encoder.train("nope"):
        pass


def test_removed_adapter_is_gone(with_adapters: Callable[..., Encoder]) -> None:
    encoder = with_adapters()
    before = hidden(encoder, "l1", "t1")
    encoder.remove("l2", "t2", "t3")
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
    assert encoder.tokenizer.get_vocab_size() == encoder.vocabulary
    assert encoder.special.all == (0, 1, 2, 3, 4)
    longest = torch.full((1, encoder.max_length), 9)
    assert encoder.hidden(longest).shape == (1, 64, 32)


def test_tokenizer_without_the_special_tokens_is_refused(encoder: Encoder) -> None:
    vocabulary = encoder.tokenizer.to_str().replace("<mask>", "<hide>")
    with pytest.raises(ValueError, match=r"neither <s> <pad> </s> <unk> <mask> nor \[CLS\]"):
        SpecialTokens.of(type(encoder.tokenizer).from_str(vocabulary))
