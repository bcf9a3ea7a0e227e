"""What `sprachbund recommend` says of help and harm."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from matrices.store import Store
from sprachbund.cli import app


def printed(store: Store, kind: str, target: str = "eng") -> str:
    asked = ["--store", store.uri, "--task", "pos", "--target", target, "--kind", kind]
    return CliRunner().invoke(app, ["recommend", *asked]).stdout


@pytest.mark.parametrize("columns", ["80", "120"])
def test_of_interference_every_source_has_its_verdict_and_the_advice_comes_first(
    measured_store: Store, columns: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    text = printed(measured_store, "interference")
    assert "helps +0." in text
    assert "harms -0." in text
    assert "…" not in text
    assert text.index("Add German: it helps English by +0.") < text.index("Measured over 3 seeds")


def test_of_transfer_only_what_is_worse_than_a_constant_answer_is_said_to_harm(measured_store: Store) -> None:
    text = printed(measured_store, "zero_shot")
    assert "harms -0." in text
    assert "helps" not in text
    assert "Transfer from German." in text
