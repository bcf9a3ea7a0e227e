"""A model of `transformers` with the adapters that were added to it, each by its name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import adapters
import torch
from torch import Tensor, nn

from adapters_zoo.architectures import Architecture
from adapters_zoo.backbone import adapter_files
from adapters_zoo.backbone.protocol import Backbone
from adapters_zoo.encoder_weights import refuse_unfit
from adapters_zoo.fine_tuning import Tuned

_PLACES = ("adapters.{}.", "loras.{}.", "adapter_fusion_layer.{}.")
"""What stands in the name of every parameter of an adapter; the bare name may stand in the encoder's own too."""
_PULL = 0.01
"""The weight of what keeps a fusion's values near the identity (Pfeiffer et al. 2021), as in `adapters`."""


class AdaptedModel:
    """Adds, removes, saves and loads adapters. A name that is not loaded raises ``KeyError``.

    A fine-tuned copy of the layers is an adapter too, and so is a fusion of others. Whoever computes passes gives it
    the ``backbone`` that it tells of changes.
    """

    backbone: Backbone

    def __init__(self, model: Any, architecture: Architecture, device: torch.device) -> None:
        """``model`` is one of masked language modelling; it is frozen, and moved to ``device``."""
        _make_room(model)
        self._model, self._base, self._architecture = model, model.base_model, architecture
        self._model.requires_grad_(False)
        self._model.eval().to(device)
        self._own: dict[str, nn.Parameter] = dict(self._model.named_parameters())
        self._tuned: dict[str, Tuned] = {}
        self._fused: dict[str, tuple[str, ...]] = {}
        self.layers: int = model.config.num_hidden_layers
        self.device = device

    @property
    def names(self) -> tuple[str, ...]:
        """The adapters that are loaded."""
        return (*self._model.adapters_config.adapters, *self._fused, *self._tuned)

    @property
    def model(self) -> Any:
        """The library's model that it computes with: for whoever holds passes against the library's own."""
        return self._model

    @property
    def own(self) -> Mapping[str, nn.Parameter]:
        """The encoder's own weights by name, without those of adapters."""
        return self._own

    def add_language_adapter(self, name: str, *, reduction: float) -> None:
        """Add an untrained invertible bottleneck adapter (`seq_bn_inv`); initialised from torch's global generator."""
        config = adapters.SeqBnInvConfig(reduction_factor=reduction, inv_adapter_reduction_factor=reduction)
        self._add(name, config)

    def add_task_adapter(self, name: str, *, reduction: float, leave_out: int = 0) -> None:
        """Add an untrained bottleneck adapter (`seq_bn`) to all but the ``leave_out`` lowest layers.

        Initialised from torch's global generator. Raises ``ValueError`` where no layer is left.
        """
        left_out = self._left_out(leave_out)
        self._add(name, adapters.SeqBnConfig(reduction_factor=reduction, leave_out=left_out))

    def add_low_rank(self, name: str, *, rank: int, alpha: float, leave_out: int = 0) -> None:
        """Add untrained LoRA (Hu et al. 2022) of attention's queries and values, scaled by ``alpha`` / ``rank``.

        It stands in all but the ``leave_out`` lowest layers. Initialised from torch's global generator. Raises
        ``ValueError`` where no layer is left.
        """
        self._add(name, adapters.LoRAConfig(r=rank, alpha=alpha, leave_out=self._left_out(leave_out)))

    def add_tuned(self, name: str, *, leave_out: int = 0) -> None:
        """Add a copy of all but the ``leave_out`` lowest layers, which takes their place in passes under this name.

        Embeddings stay the encoder's own. Raises ``ValueError`` where no layer is left.
        """
        self._left_out(leave_out)
        self._refuse_loaded(name)
        self._tuned[name] = Tuned.untrained(leave_out, self._tunable(leave_out))

    def add_fusion(self, name: str, members: Sequence[str]) -> None:
        """Add untrained AdapterFusion (Pfeiffer et al. 2021) of bottleneck adapters, a task adapter like any other.

        It stands in the layers that its members stand in. They must be loaded, stay as they are, and cannot be removed
        before it. Initialised from torch's global generator. Raises ``ValueError`` unless they are two or more
        bottleneck adapters of the same layers.
        """
        self._refuse_loaded(name)
        self._refuse_absent(*members)
        layers = [self._bottleneck_layers(member) for member in members]
        if len(members) < 2 or not layers[0] or any(one != layers[0] for one in layers):
            raise ValueError("only two or more bottleneck adapters that stand in the same layers can be fused")
        self._model.add_adapter_fusion([*members], "dynamic", name=name)
        for module in self._base.modules():  # The library puts it into every layer.
            if name in getattr(module, "adapter_fusion_layer", ()) and members[0] not in module.adapters:
                module.delete_fusion_layer(name)
        self._model.adapter_fusion_to(name, device=self.device)
        self._model.requires_grad_(False)
        self._fused[name] = tuple(members)

    def fusion_penalty(self, name: str) -> Tensor:
        """What is added to a loss while fusion ``name`` is trained: how far its values are from the identity."""
        values = [value for key, value in self._parameters(name).items() if key.endswith(".value.weight")]
        return torch.stack(
            [_PULL * (torch.eye(len(value), device=value.device) - value).square().sum() for value in values]
        ).sum()

    def remove(self, *names: str) -> None:
        """Forget adapters and free their memory.

        Raises ``KeyError`` on one that is not loaded, and ``ValueError`` on a member of a fusion that would stay.
        """
        self._refuse_absent(*names)
        for fusion, members in self._fused.items():
            if fusion not in names and (needed := {*names} & {*members}):
                raise ValueError(f"{', '.join(sorted(needed))}: fused in {fusion!r}; remove that first")
        for name in sorted(names, key=lambda name: name not in self._fused):
            if self._fused.pop(name, None) is not None:
                self._model.delete_adapter_fusion(name)
            elif self._tuned.pop(name, None) is None:
                self._model.delete_adapter(name)
            self.backbone.forget(name)

    def save(self, name: str, folder: Path) -> None:
        """Write an adapter's configuration and weights (safetensors), as `adapters` itself reads them.

        Of a fusion its members are not written; of a fine-tuned copy, its difference from the encoder.
        """
        self._refuse_absent(name)
        if name in self._tuned:
            adapter_files.save_difference(self._tuned[name].rounded(self._own), folder)
        elif name in self._fused:
            adapter_files.save_fusion(self._model, name, folder)
        else:
            adapter_files.save_bottleneck(self._model, name, folder)

    def load(self, name: str, folder: Path) -> None:
        """Add an adapter saved by ``save`` under a new name. Raises ``ValueError`` if it does not fit exactly.

        Of a fusion, ``KeyError`` unless its members are loaded under the names that they had.
        """
        self._refuse_loaded(name)
        if adapter_files.holds_difference(folder):
            self._tuned[name] = self._as_tuned(adapter_files.read_difference(folder), folder)
        elif adapter_files.holds_fusion(folder):
            self._add_read_fusion(name, folder)
        else:
            adapter_files.load_bottleneck(self._model, name, folder)
            self._settle(name)

    def parameters_of(self, name: str) -> dict[str, Tensor]:
        """The weights of one adapter by parameter name, with the adapter's own name left out."""
        return {key.replace(f".{name}.", ".*."): value.detach() for key, value in self._parameters(name).items()}

    def assign(self, name: str, weights: Mapping[str, Tensor]) -> None:
        """Give one adapter these weights, by the names that ``parameters_of`` has. Raises ``ValueError``."""
        parameters = {key.replace(f".{name}.", ".*."): value for key, value in self._parameters(name).items()}
        if parameters.keys() != weights.keys():
            unlike = sorted(parameters.keys() ^ weights.keys())
            raise ValueError(f"weights of another adapter: {len(unlike)} names do not match: {unlike[:3]}")
        refuse_unfit(parameters, weights)
        for key, parameter in parameters.items():
            parameter.detach().copy_(weights[key])
        if name in self._tuned:
            self._tuned[name].settle(self._own)
        self.backbone.forget(name)

    def _add(self, name: str, config: Any) -> None:
        self._refuse_loaded(name)
        self._model.add_adapter(name, config=config)
        self._settle(name)

    def _settle(self, name: str) -> None:
        self._model.adapter_to(name, device=self.device)
        self._model.requires_grad_(False)

    def _add_read_fusion(self, name: str, folder: Path) -> None:
        members, weights = adapter_files.read_fusion(folder, self._architecture.base)
        with torch.random.fork_rng(devices=[]):  # What is drawn is overwritten, and must not move the draws of others.
            self.add_fusion(name, members)
        try:
            self.assign(name, weights)
        except ValueError as error:
            self.remove(name)
            raise ValueError(f"{folder}: made for another encoder ({error})") from error

    def _left_out(self, leave_out: int) -> list[int]:
        if leave_out >= self.layers:
            raise ValueError(f"leave_out {leave_out} leaves no layer: the encoder has {self.layers}")
        return list(range(leave_out))

    def _bottleneck_layers(self, name: str) -> set[int]:
        """The layers in which a bottleneck adapter stands; none of anything else."""
        keys = [self._architecture.base + key for key in self._parameters(name) if f"adapters.{name}." in key]
        return {layer for key in keys if (layer := self._architecture.layer_of(key)) is not None}

    def _tunable(self, leave_out: int) -> dict[str, nn.Parameter]:
        """The weights of all but the lowest layers, and of what stands above them, by name."""
        layer_of, closes = self._architecture.layer_of, self._architecture.closes
        return {
            name: weight
            for name, weight in self._own.items()
            if closes(name) or ((layer := layer_of(name)) is not None and layer >= leave_out)
        }

    def _as_tuned(self, difference: Mapping[str, Tensor], folder: Path) -> Tuned:
        layers = [layer for name in difference if (layer := self._architecture.layer_of(name)) is not None]
        try:
            refuse_unfit(self._own, difference)
            if difference.keys() != self._tunable(min(layers)).keys():
                raise ValueError("weights of another encoder: not those of its layers")
        except ValueError as error:
            raise ValueError(f"{folder}: made for another encoder ({error})") from error
        return Tuned(min(layers), self._own, {name: weight.to(self.device) for name, weight in difference.items()})

    def _parameters(self, name: str) -> dict[str, nn.Parameter]:
        self._refuse_absent(name)
        if name in self._tuned:
            return dict(self._tuned[name].weights)
        places = tuple(place.format(name) for place in _PLACES)
        return {key: value for key, value in self._base.named_parameters() if any(place in key for place in places)}

    def _refuse_loaded(self, name: str) -> None:
        if name in self.names:
            raise ValueError(f"an adapter {name!r} is loaded already; the library would overwrite it without a word")

    def _refuse_absent(self, *names: str | None) -> None:
        for name in names:
            if name is not None and name not in self.names:
                raise KeyError(f"no adapter {name!r}; loaded: {', '.join(self.names) or 'none'}")


def _make_room(model: Any) -> None:
    """Let a model take adapters, and nothing else: the library gives products without a bias one, drawn at random."""
    before = {name for name, _ in model.named_parameters()}
    adapters.init(model)
    for name in [name for name, _ in model.named_parameters() if name not in before]:
        module, _, parameter = name.rpartition(".")
        setattr(model.get_submodule(module), parameter, None)
