"""`sprachbund compare`: two matrices of a store."""

from __future__ import annotations

import json

from typer.testing import CliRunner

from matrices.store import Store
from sprachbund.cli import app

RUNNER = CliRunner()


def test_it_says_whether_two_matrices_choose_the_same_sources(measured_store: Store) -> None:
    matrix, other = (f"{measured_store.uri}/{info.matrix}" for info in measured_store.matrices())
    told = RUNNER.invoke(app, ["compare", matrix, matrix, "--composition", "stack"])
    assert told.exit_code == 0, told.output
    assert "rank agreement 1.00 (1.00 to 1.00)" in told.stdout
    assert "Of single seeds:" in told.stdout
    found = json.loads(RUNNER.invoke(app, ["compare", matrix, other, "--composition", "stack", "--json"]).stdout)
    assert found["first"] == matrix
    assert 0.5 < found["agreement"] < 1
    assert 0 <= found["regret"] < 0.1
    assert {one["target"] for one in found["targets"]} == {"deu", "eng", "hin", "swa"}
