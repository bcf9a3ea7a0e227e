"""An encoder whose own weights were trained: what it computes, how it learns, and that it is left as it was."""

import contextlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import transformers
from adapters.composition import Stack
from torch import Tensor

from adapters_zoo.backbone import Encoder
from adapters_zoo.sources import check_encoder
from adapters_zoo.zoo import AdapterFileError, Trained, Zoo, adapter_key

IDS = torch.tensor([[0, 17, 40, 23, 9, 2], [0, 30, 31, 2, 1, 1]])
MASK = (IDS != 1).long()
THERE = MASK.bool()
CLASSES = {
    "xlm-roberta": (transformers.XLMRobertaConfig, transformers.XLMRobertaForMaskedLM),
    "roberta": (transformers.RobertaConfig, transformers.RobertaForMaskedLM),
    "bert": (transformers.BertConfig, transformers.BertForMaskedLM),
}

Weights = dict[str, Tensor]


@pytest.fixture
def other(tiny_encoder_folder: Path) -> Weights:
    """Weights of the encoder's shape, none of them its own, by name."""
    return drawn(transformers.XLMRobertaForMaskedLM.from_pretrained(tiny_encoder_folder))


def drawn(model: torch.nn.Module) -> Weights:
    generator = torch.Generator().manual_seed(3)
    return {
        name: weight.detach() + torch.randn(weight.shape, generator=generator) / 5
        for name, weight in model.named_parameters()
    }


def states(encoder: Encoder, task: str | None = None) -> Tensor:
    with torch.no_grad():
        return encoder.hidden(IDS, MASK, task=task)[THERE]


def logits(encoder: Encoder) -> Tensor:
    with torch.no_grad():
        return encoder.masked_language_logits(states(encoder))


@pytest.mark.parametrize("model_type", CLASSES)
def test_logits_are_those_of_a_model_with_these_weights(
    tiny_encoder_folder: Path, tmp_path: Path, model_type: str
) -> None:
    config_class, model_class = CLASSES[model_type]
    config = json.loads((tiny_encoder_folder / "config.json").read_text(encoding="utf-8"))
    shape = {key: value for key, value in config.items() if key not in ("model_type", "architectures")}
    model = model_class(config_class(**shape)).eval()
    model.save_pretrained(tmp_path)
    shutil.copy(tiny_encoder_folder / "tokenizer.json", tmp_path)
    encoder, weights = Encoder(check_encoder(tmp_path)), drawn(model)

    model.load_state_dict(weights, strict=False)
    with torch.no_grad():
        expected = model(input_ids=IDS, attention_mask=MASK).logits[THERE]
    with encoder.shifted(weights):
        torch.testing.assert_close(logits(encoder), expected, rtol=0, atol=2e-3)
    assert not torch.allclose(logits(encoder), expected, atol=0.1)


@pytest.mark.parametrize(("precision", "tolerance"), [("fp32", 1e-4), ("bf16", 2**-3)])
def test_states_under_a_task_adapter_are_those_of_the_library_over_these_weights(
    with_adapters: Callable[..., Encoder], other: Weights, precision: str, tolerance: float
) -> None:
    encoder, theirs = with_adapters(precision), with_adapters(precision)
    with torch.no_grad():
        for name, parameter in theirs.model.named_parameters():
            parameter.copy_(other.get(name, parameter))
    theirs.model.set_active_adapters(Stack("t1"))
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=precision == "bf16"):
        expected = theirs.model.base_model(input_ids=IDS, attention_mask=MASK).last_hidden_state.float()[THERE]
    with encoder.shifted(other):
        torch.testing.assert_close(states(encoder, "t1"), expected, rtol=0, atol=tolerance)


def test_an_encoder_shifted_by_nothing_is_the_encoder_bit_by_bit(with_adapters: Callable[..., Encoder]) -> None:
    encoder = with_adapters()
    expected, own = states(encoder, "t1"), {name: weight.detach().clone() for name, weight in encoder.own.items()}
    for nothing in ({}, own):
        with encoder.shifted(nothing):
            assert torch.equal(states(encoder, "t1"), expected)


def test_outside_the_block_it_is_as_before_even_after_an_error(
    with_adapters: Callable[..., Encoder], other: Weights
) -> None:
    encoder = with_adapters()
    before = states(encoder, "t1")
    with contextlib.suppress(ZeroDivisionError), encoder.shifted(other):
        assert not torch.allclose(states(encoder, "t1"), before, atol=0.1)
        raise ZeroDivisionError
    assert torch.equal(states(encoder, "t1"), before)


def test_weights_of_another_encoder_are_refused(encoder: Encoder, wider_folder: Path) -> None:
    wider = drawn(transformers.XLMRobertaForMaskedLM.from_pretrained(wider_folder))
    for weights in (wider, {"no.such.weight": torch.zeros(1)}):
        with pytest.raises(ValueError, match="weights of another encoder"), encoder.shifted(weights):
            pass


def test_gradients_of_all_weights_are_those_of_the_library(encoder: Encoder, tiny_encoder_folder: Path) -> None:
    theirs = transformers.XLMRobertaForMaskedLM.from_pretrained(tiny_encoder_folder).eval()
    ids, chosen = IDS[:1], torch.tensor([[False, True, False, True, True, False]])
    theirs(input_ids=ids).logits[chosen].logsumexp(1).sum().backward()
    with encoder.train_whole() as learning:
        encoder.masked_language_logits(encoder.hidden_at(ids, chosen)).logsumexp(1).sum().backward()
        expected = dict(theirs.named_parameters())
        assert learning.parameters.keys() == expected.keys()
        for name, parameter in learning.parameters.items():
            torch.testing.assert_close(parameter.grad, expected[name].grad, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_every_pass_reads_the_weights_as_they_are(with_adapters: Callable[..., Encoder], precision: str) -> None:
    encoder = with_adapters(precision)
    with encoder.train_whole() as learning:
        before = states(encoder), logits(encoder)
        for parameter in learning.parameters.values():
            parameter.detach().mul_(1.1)
        assert not torch.allclose(states(encoder), before[0], atol=0.01)
        assert not torch.allclose(logits(encoder), before[1], atol=0.01)


def test_what_changed_can_be_taken_along_and_the_rest_is_not_in_it(encoder: Encoder) -> None:
    with encoder.train_whole() as learning:
        assert learning.changed() == {}
        name, parameter = next(iter(learning.parameters.items()))
        parameter.detach().add_(1)
        changed = {name: weight.clone() for name, weight in learning.changed().items()}
        assert changed.keys() == {name}
        inside = states(encoder)
    with encoder.shifted(changed):
        assert torch.equal(states(encoder), inside)


def test_training_leaves_the_encoder_as_it_was_even_after_an_error(with_adapters: Callable[..., Encoder]) -> None:
    encoder = with_adapters()
    before = states(encoder, "t1"), logits(encoder)
    with contextlib.suppress(ZeroDivisionError), encoder.train_whole() as learning:
        encoder.hidden(IDS, MASK, task="t1").square().sum().backward()
        learnt = {id(weight) for weight in encoder.own.values()}
        others = [weight for weight in encoder.model.parameters() if id(weight) not in learnt]
        assert others
        assert all(weight.grad is None for weight in others)
        torch.optim.SGD(learning.parameters.values(), lr=1.0).step()
        raise ZeroDivisionError
    assert torch.equal(states(encoder, "t1"), before[0])
    assert torch.equal(logits(encoder), before[1])
    assert not any(weight.requires_grad or weight.grad is not None for weight in encoder.model.parameters())


class TestZoo:
    @pytest.fixture(params=["folder", "bucket"])
    def zoo(self, request: pytest.FixtureRequest, tmp_path: Path) -> Zoo:
        if request.param == "folder":
            return Zoo(tmp_path / "zoo")
        return Zoo(f"{request.getfixturevalue('bucket')}/zoo", cache=tmp_path / "copies")

    @staticmethod
    def keep(zoo: Zoo, encoder: Encoder, weights: Weights) -> str:
        origin = {"what": "shift", "encoder": encoder.files.digest, "steps": 3}
        trained = Trained(adapter_key(origin), (), 1.5, 0.25)
        zoo.save_weights(encoder, weights, trained, origin)
        return trained.key

    def test_what_was_saved_is_what_is_loaded(self, zoo: Zoo, encoder: Encoder, other: Weights) -> None:
        key = self.keep(zoo, encoder, other)
        assert zoo.has(key)
        loaded = zoo.load_weights(encoder, key)
        assert loaded.keys() == other.keys()
        assert all(torch.equal(weight, other[name]) for name, weight in loaded.items())

    def test_weights_for_another_encoder_are_refused(
        self, zoo: Zoo, encoder: Encoder, other: Weights, wider_folder: Path
    ) -> None:
        key = self.keep(zoo, encoder, other)
        with pytest.raises(AdapterFileError, match=f"made for encoder {encoder.files.digest[:8]}, not"):
            zoo.load_weights(Encoder(check_encoder(wider_folder)), key)

    def test_altered_weights_are_set_aside_and_absent(self, encoder: Encoder, other: Weights, tmp_path: Path) -> None:
        zoo = Zoo(tmp_path)
        key = self.keep(zoo, encoder, other)
        path = tmp_path / key / "encoder.safetensors"
        path.write_bytes(path.read_bytes()[:-1] + b"?")
        with pytest.raises(AdapterFileError, match=r"encoder\.safetensors does not match its digest"):
            zoo.load_weights(encoder, key)
        assert not zoo.has(key)
        assert [folder.name[:32] for folder in (tmp_path / "set-aside").iterdir()] == [key]
