from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pyarrow.csv
import pytest
from typer.testing import CliRunner, Result

import sprachbund
from matrices.cells import Cell
from matrices.store import Store
from sprachbund.cli import app
from sprachbund.many_targets import SCHEMA, TargetsFileError, targets_in

POS = "pos-interference-sprachbund-mini-700a94e5"


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["recommend", "--task", "pos", "--matrix", POS, *arguments])


@pytest.fixture
def listed(tmp_path: Path) -> Path:
    file = tmp_path / "targets.csv"
    file.write_text("name,target\nYiddish,ydd\nMalti,Maltese\n,nonsuch\nagain,ydd\n", encoding="utf-8")
    return file


def test_the_targets_of_a_file_are_those_of_its_column_or_of_its_first(tmp_path: Path, listed: Path) -> None:
    plain = tmp_path / "plain.csv"
    plain.write_text("deu\n\nMaltese\n", encoding="utf-8")

    assert targets_in(listed) == ["ydd", "Maltese", "nonsuch"]
    assert targets_in(plain) == ["deu", "Maltese"]


@pytest.mark.parametrize("text", [None, "", "target\n"])
def test_a_file_without_targets_says_what_it_should_have(tmp_path: Path, text: str | None) -> None:
    file = tmp_path / "targets.csv"
    if text is not None:
        file.write_text(text)

    with pytest.raises(TargetsFileError, match=r"targets\.csv"):
        targets_in(file)


def test_targets_in_a_file_are_answered_in_a_table(listed: Path, tmp_path: Path) -> None:
    out = tmp_path / "answers.csv"

    done = run("--targets", str(listed), "--out", str(out))

    assert done.exit_code == 0, done.output
    rows = pyarrow.csv.read_csv(out).to_pylist()
    assert [row["asked"] for row in rows] == ["ydd", "Maltese", "nonsuch"]
    assert [row["target"] for row in rows] == ["yid", "mlt", ""]
    assert all(0 < row["low"] <= row["expected"] <= row["high"] < 1 for row in rows[:2])
    assert rows[0]["verdict"] in ("recommend_one", "any_of", "measure_first", "no_evidence")
    assert "nonsuch" in rows[2]["problem"]


def test_they_are_answered_as_one_by_one(listed: Path) -> None:
    together = json.loads(run("--targets", str(listed), "--json").stdout)["answers"]
    alone = json.loads(run("--target", "Maltese", "--json").stdout)

    assert together[1]["answer"] == alone
    assert (together[2]["answer"], together[0]["problem"]) == (None, None)


def test_one_target_or_a_file_of_them_is_asked_for(listed: Path) -> None:
    for arguments in ((), ("--target", "deu", "--targets", str(listed)), ("--target", "deu", "--out", "x.csv")):
        assert run(*arguments).exit_code == 2


def test_how_many_items_each_source_of_a_set_should_have_is_said() -> None:
    said = " ".join(run("--target", "Yiddish", "--items", "1000").output.split())

    assert "1000 items over 2:" in said
    assert "1000 items over 3:" in said


def test_from_python_several_targets_are_one_table(tmp_path: Path, make_cell: Callable[..., Cell]) -> None:
    store = Store.open(tmp_path / "store", create=True)
    store.append([make_cell(source=source, target=target) for source in ("deu", "eng") for target in ("yor", "wol")])

    found = sprachbund.open(tmp_path / "store").recommend_many("pos", ["Yoruba", "wol"], k=1)

    assert found.to_arrow().schema.names == SCHEMA.names
    assert found.to_frame()["target"].tolist() == ["yor", "wol"]
