"""Going on from an encoder that is there: a head for one that has none, or all of its weights."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from adapters_zoo.backbone import Encoder
from adapters_zoo.sources import EncoderError, check_encoder
from tests.adapters_zoo.layouts import bert, xlm_roberta
from workers.pretraining import PretrainJob, pretrain

Fit = Callable[..., PretrainJob]
DECLARATION = "corpora:\n  - {name: raw, format: text, language: qaa, text: qaa.txt}\n"
HEAD = "cls.predictions."


@pytest.fixture
def fit(tmp_path: Path) -> Fit:
    """Makes a job that goes on from an encoder, on text of two pieces that take turns."""
    (tmp_path / "corpora.yaml").write_text(DECLARATION, encoding="utf-8")
    (tmp_path / "qaa.txt").write_text("\n".join(f"{'ba de ' * (5 + n % 7)}" for n in range(60)), encoding="utf-8")

    def job(start: Path, **knobs: Any) -> PretrainJob:
        values = {"out": tmp_path / "out", "corpora": tmp_path, "start": {"name": str(start)}, "precision": "fp32"}
        usual = {"steps": 60, "tokens": 256, "length": 16, "learning_rate": 1e-2, "checkpoint_every": 25}
        return PretrainJob.model_validate({**values, **usual, **knobs})

    return job


def test_a_head_is_fitted_and_the_encoder_below_stays_what_it_was(fit: Fit, tmp_path: Path) -> None:
    start = bert(tmp_path / "start", head=False)
    made = pretrain(fit(start, train="head", steps=150, learning_rate=0.1))
    before, after = (load_file(folder / "model.safetensors") for folder in (start, made.encoder.folder))
    assert {name.removeprefix("bert.") for name in after if not name.startswith(HEAD)} <= before.keys()
    for name, weight in after.items():
        if not name.startswith(HEAD):
            assert torch.equal(weight, before[name.removeprefix("bert.")]), name
    assert made.encoder.has_language_head
    assert made.encoder.digest != check_encoder(start).digest
    ids = torch.tensor([[8, 12, 20, 9]])
    assert torch.equal(Encoder(made.encoder).hidden(ids), Encoder(check_encoder(start)).hidden(ids))
    card = json.loads((made.encoder.folder / "sprachbund.json").read_text())
    assert card["start"] == check_encoder(start).label
    assert card["loss"] < 1.5  # Text of two pieces; of the 51 there are each would cost 3.9.


def test_all_weights_go_on_learning_where_it_is_asked_for(fit: Fit, tmp_path: Path) -> None:
    start = xlm_roberta(tmp_path / "start")
    made = pretrain(fit(start, steps=5))
    before, after = (load_file(folder / "model.safetensors") for folder in (start, made.encoder.folder))
    assert before.keys() == after.keys()
    inner = "roberta.encoder.layer.0.output.dense.weight"
    assert not torch.equal(before[inner], after[inner])


@pytest.mark.parametrize("train", ["head", "all"])
def test_a_run_that_was_killed_ends_bit_identical(fit: Fit, tmp_path: Path, train: str) -> None:
    start = bert(tmp_path / "start", head=False)
    whole = pretrain(fit(start, train=train, out=tmp_path / "whole"))
    job = fit(start, train=train)

    def die(done: int, _of: int, _loss: float) -> None:
        if done >= 40:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        pretrain(job, die)
    assert pretrain(job).encoder.digest == whole.encoder.digest


def test_what_its_start_was_pretrained_on_is_carried_over_or_left_open(fit: Fit, tmp_path: Path) -> None:
    unknown = pretrain(fit(bert(tmp_path / "start", head=False), steps=1, train="head"))
    assert unknown.encoder.languages is None
    known = bert(tmp_path / "known", head=False)
    (known / "sprachbund.json").write_text('{"languages": ["yor"]}')
    made = pretrain(fit(known, steps=1, train="head", out=tmp_path / "a"))
    assert made.encoder.languages == ("yor",)
    made = pretrain(fit(known, steps=1, out=tmp_path / "b"))
    assert made.encoder.languages == ("qaa", "yor")


def test_a_start_that_is_not_there_is_refused(fit: Fit, tmp_path: Path) -> None:
    with pytest.raises(EncoderError, match="no folder"):
        pretrain(fit(tmp_path / "nothing"))
