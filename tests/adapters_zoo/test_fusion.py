"""AdapterFusion: what the library computes of it, what learns of it, and how it is kept."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from adapters.composition import Fuse, Stack
from safetensors.torch import load_file, save_file
from torch import Tensor

from adapters_zoo.backbone import Encoder
from adapters_zoo.sources import check_encoder
from tests.adapters_zoo.layouts import deberta_v2, distilbert, modernbert

IDS = torch.tensor([[0, 17, 40, 23, 9, 2], [0, 31, 8, 2, 1, 1]])
MASK = (IDS != 1).long()
MEMBERS = ("t1", "t2", "t3")


def with_fusion(folder: Path, *, fast: bool | None = None, leave_out: int = 0) -> Encoder:
    """An encoder with a language adapter and a fusion of three task adapters, none of it near what it was drawn as."""
    encoder = Encoder(check_encoder(folder), fast=fast)
    torch.manual_seed(1)
    if encoder.has_language_head:
        encoder.add_language_adapter("l1", reduction=2)
    for name in MEMBERS:
        encoder.add_task_adapter(name, reduction=4, leave_out=leave_out)
    encoder.add_fusion("fused", MEMBERS)
    for name in encoder.names:
        for weight in encoder.parameters_of(name).values():
            weight.normal_(0, 0.2)
    return encoder


def of_the_library(encoder: Encoder, language: str | None = None) -> Tensor:
    fuse = Fuse(*MEMBERS, name="fused")
    encoder.model.set_active_adapters(Stack(*([language] if language else []), fuse))
    with torch.no_grad():
        states: Tensor = encoder.model.base_model(input_ids=IDS, attention_mask=MASK).last_hidden_state
    return states


def states(encoder: Encoder, task: str | None = "fused", language: str | None = None) -> Tensor:
    with torch.no_grad():
        return encoder.hidden(IDS, MASK, language=language, task=task)


def assert_same(found: Tensor, wanted: Tensor) -> None:
    there = MASK.bool()
    torch.testing.assert_close(found[there], wanted[there], atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("language", [None, "l1"])
@pytest.mark.parametrize("fast", [True, False], ids=["engine", "library"])
def test_a_pass_is_the_librarys_own(tiny_encoder_folder: Path, fast: bool, language: str | None) -> None:
    encoder = with_fusion(tiny_encoder_folder, fast=fast)
    found = states(encoder, language=language)
    assert_same(found, of_the_library(encoder, language))
    for other in (None, *MEMBERS):
        assert not torch.allclose(found, states(encoder, other, language), atol=1e-2)


@pytest.mark.parametrize("make", [distilbert, deberta_v2, modernbert])
def test_every_architecture_computes_it(tmp_path: Path, make: Callable[[Path], Path]) -> None:
    encoder = with_fusion(make(tmp_path))
    assert_same(states(encoder), of_the_library(encoder))


@pytest.mark.parametrize("fast", [True, False], ids=["engine", "library"])
def test_it_stands_where_its_members_do_and_nowhere_else(tiny_encoder_folder: Path, fast: bool) -> None:
    encoder = with_fusion(tiny_encoder_folder, fast=fast, leave_out=1)
    assert all("layer.0." not in name for name in encoder.parameters_of("fused"))
    assert encoder.lowest_layer("fused") == encoder.lowest_layer("t1") == 1
    assert_same(states(encoder), of_the_library(encoder))


def test_members_that_add_the_same_are_fused_to_what_each_adds(tiny_encoder_folder: Path) -> None:
    encoder = with_fusion(tiny_encoder_folder)
    for name in MEMBERS[1:]:
        encoder.assign(name, encoder.parameters_of("t1"))
    own = encoder.parameters_of("fused")
    identity = {
        name: torch.eye(len(weight)) if name.endswith("value.weight") else weight for name, weight in own.items()
    }
    encoder.assign("fused", identity)
    assert_same(states(encoder), states(encoder, "t1"))
    assert float(encoder.fusion_penalty("fused")) == 0


def test_the_penalty_is_the_librarys(tiny_encoder_folder: Path) -> None:
    encoder = with_fusion(tiny_encoder_folder)
    with encoder.train("fused"):
        wanted = encoder.model.base_model.get_fusion_regularization_loss()
    torch.testing.assert_close(encoder.fusion_penalty("fused"), wanted)


@pytest.mark.parametrize("fast", [True, False], ids=["engine", "library"])
def test_gradients_reach_the_fusion_alone(tiny_encoder_folder: Path, fast: bool) -> None:
    encoder = with_fusion(tiny_encoder_folder, fast=fast)
    with encoder.train("fused") as parameters:
        encoder.hidden(IDS, MASK, task="fused").square().sum().backward()
        assert {id(one) for one in parameters} == {
            id(one) for one in encoder.model.parameters() if one.grad is not None and bool(one.grad.any())
        }
    assert parameters


def test_it_is_saved_without_its_members_and_read_again(tiny_encoder_folder: Path, tmp_path: Path) -> None:
    encoder = with_fusion(tiny_encoder_folder, leave_out=1)
    before, draws = states(encoder), torch.get_rng_state()
    encoder.save("fused", tmp_path / "fused")
    assert all("fused" in name for name in load_file(tmp_path / "fused" / "model_adapter_fusion.safetensors"))
    encoder.load("again", tmp_path / "fused")
    assert torch.equal(states(encoder, "again"), before)
    assert torch.equal(torch.get_rng_state(), draws)


def test_the_library_reads_what_was_saved(tiny_encoder_folder: Path, tmp_path: Path) -> None:
    encoder = with_fusion(tiny_encoder_folder)
    before = states(encoder)
    encoder.save("fused", tmp_path)
    encoder.remove("fused")
    encoder.model.load_adapter_fusion(str(tmp_path), use_safetensors=True)
    assert_same(of_the_library(encoder), before)


def test_members_are_held_as_long_as_their_fusion(tiny_encoder_folder: Path) -> None:
    encoder = with_fusion(tiny_encoder_folder)
    with pytest.raises(ValueError, match="t2: fused in 'fused'; remove that first"):
        encoder.remove("t2")
    encoder.remove(*MEMBERS, "fused")
    assert encoder.names == ("l1",)
    assert not any("fusion" in name for name, _ in encoder.model.named_parameters())


class TestRefusals:
    def test_of_what_cannot_be_fused(self, tiny_encoder_folder: Path) -> None:
        encoder = with_fusion(tiny_encoder_folder)
        encoder.add_low_rank("lora", rank=2, alpha=2)
        encoder.add_task_adapter("high", reduction=4, leave_out=1)
        for members in (("t1",), ("t1", "lora"), ("t1", "high")):
            with pytest.raises(ValueError, match="bottleneck adapters that stand in the same layers"):
                encoder.add_fusion("other", members)
        with pytest.raises(KeyError, match="no adapter 'absent'"):
            encoder.add_fusion("other", ("t1", "absent"))

    def test_of_a_file_without_its_members(self, tiny_encoder_folder: Path, tmp_path: Path) -> None:
        with_fusion(tiny_encoder_folder).save("fused", tmp_path)
        encoder = Encoder(check_encoder(tiny_encoder_folder))
        with pytest.raises(KeyError, match="no adapter 't1'"):
            encoder.load("fused", tmp_path)

    def test_of_a_file_that_lacks_weights(self, tiny_encoder_folder: Path, tmp_path: Path) -> None:
        encoder = with_fusion(tiny_encoder_folder)
        encoder.save("fused", tmp_path)
        path = tmp_path / "model_adapter_fusion.safetensors"
        save_file(dict([*load_file(path).items()][1:]), path)
        with pytest.raises(ValueError, match="made for another encoder"):
            encoder.load("again", tmp_path)
        assert "again" not in encoder.names

    @pytest.mark.parametrize("name", ["model_adapter_fusion.safetensors", "adapter_fusion_config.json"])
    def test_of_a_file_that_is_cut_short(self, tiny_encoder_folder: Path, tmp_path: Path, name: str) -> None:
        encoder = with_fusion(tiny_encoder_folder)
        encoder.save("fused", tmp_path)
        content = (tmp_path / name).read_bytes()
        (tmp_path / name).write_bytes(content[: len(content) // 2])
        with pytest.raises(ValueError, match="an unreadable fusion"):
            encoder.load("again", tmp_path)

    def test_of_a_fusion_that_names_nobody(self, tiny_encoder_folder: Path, tmp_path: Path) -> None:
        encoder = with_fusion(tiny_encoder_folder)
        encoder.save("fused", tmp_path)
        path = tmp_path / "adapter_fusion_config.json"
        stated = json.loads(path.read_text(encoding="utf-8"))
        del stated["adapter_names"]
        path.write_text(json.dumps(stated), encoding="utf-8")
        with pytest.raises(ValueError, match="KeyError: 'adapter_names'"):
            encoder.load("again", tmp_path)
