"""Encoders with a few adapters, made afresh for every test that changes one."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from tokenizers import Tokenizer

from adapters_zoo.backbone import Encoder, new_masked_language_model
from adapters_zoo.precision import Precision
from adapters_zoo.sources import check_encoder


@pytest.fixture
def encoder(tiny_encoder_folder: Path) -> Encoder:
    return Encoder(check_encoder(tiny_encoder_folder))


@pytest.fixture
def wider_folder(tiny_encoder_folder: Path, tmp_path: Path) -> Path:
    """An encoder with the same tokenizer, but twice the hidden size."""
    folder, tokenizer = tmp_path / "wider", tiny_encoder_folder / "tokenizer.json"
    words = Tokenizer.from_file(str(tokenizer)).get_vocab_size()
    new_masked_language_model(vocabulary=words, layers=2, hidden=64, heads=2, max_length=64).save_pretrained(folder)
    shutil.copy(tokenizer, folder)
    return folder


@pytest.fixture(scope="session")
def with_adapters(tiny_encoder_folder: Path) -> Callable[..., Encoder]:
    """An encoder with language adapters ``l1``, ``l2`` and task adapters ``t1`` to ``t3``, none near zero.

    ``high`` and ``higher`` are task adapters that leave out the lowest layer.
    """

    def _with_adapters(precision: Precision = "fp32") -> Encoder:
        encoder = Encoder(check_encoder(tiny_encoder_folder), precision=precision)
        torch.manual_seed(1)
        for name in ("l1", "l2"):
            encoder.add_language_adapter(name, reduction=2)
        for name in ("t1", "t2", "t3"):
            encoder.add_task_adapter(name, reduction=4)
        for name in ("high", "higher"):
            encoder.add_task_adapter(name, reduction=4, leave_out=1)
        for name in encoder.names:
            for weight in encoder.parameters_of(name).values():
                weight.normal_(0, 0.2)
        return encoder

    return _with_adapters
