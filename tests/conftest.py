"""Shared by the tests that train: corpora of a few hundred games, and an encoder of a few seconds."""

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def tiny_corpora(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six generated languages: raw text, and tasks ``board`` (tagging) and ``corner`` with parallel items.

    Shared by all tests: copy the folder before changing anything in it.
    """
    from workers.othello.corpora import Sizes, othello_corpora

    root = tmp_path_factory.mktemp("corpora")
    othello_corpora(root, sizes=Sizes(text=300, train=64, dev=20, test=30))
    return root


@pytest.fixture(scope="session")
def tiny_encoder_folder(tiny_corpora: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An encoder of two layers that saw the text of ``tiny_corpora`` for a few seconds; takes 64 tokens."""
    from workers.pretraining import PretrainJob, pretrain

    job = PretrainJob(
        out=tmp_path_factory.mktemp("encoders") / "tiny",
        corpora=tiny_corpora,
        vocabulary=400,
        layers=2,
        hidden=32,
        heads=2,
        max_length=64,
        length=32,
        pair_length=24,
        tokens=1024,
        steps=80,
        precision="fp32",
    )
    return pretrain(job).encoder.folder
