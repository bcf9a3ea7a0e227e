"""`fill --until-regret`: what may be said of the bound, and how things stand in words."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from sprachbund.cli import app
from sprachbund.commands.rounds import say_standing, share_of
from workers.until_regret import Standing


@pytest.mark.parametrize(("given", "share"), [("3%", 0.03), ("0.03", 0.03), ("2,5 %", 0.025), (" .5 ", None)])
def test_a_bound_is_a_share_or_a_percentage(given: str, share: float | None) -> None:
    if share is None:
        with pytest.raises(typer.BadParameter, match="write 3% or"):
            share_of(given)
    else:
        assert share_of(given) == pytest.approx(share)


@pytest.mark.parametrize("given", ["3", "0%", "100%", "three", "-1%"])
def test_a_bound_that_is_no_share_is_refused(given: str) -> None:
    with pytest.raises(typer.BadParameter, match="no share"):
        share_of(given)


def test_a_budget_without_a_bound_is_refused(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["fill", str(tmp_path / "job.yaml"), "--budget", "5"])

    assert done.exit_code == 2


def test_how_things_stand_is_said_in_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    say_standing(Standing(matrix="pos-x", measured=0, cells=200, regret=None, choices={}))
    say_standing(Standing(matrix="pos-x", measured=20, cells=200, regret=0.041, choices={"yor": "hau"}))

    assert capsys.readouterr().err.splitlines() == [
        "pos-x: 0 of 200 cells measured (0.0%); nothing to predict from yet",
        "pos-x: 20 of 200 cells measured (10.0%); choosing by what is known is expected to cost 4.1% of the best score",
    ]
