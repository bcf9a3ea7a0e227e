"""`sprachbund measure`: readable for people, one object for machines, one file for tables."""

from __future__ import annotations

import itertools
import json
import shutil
from pathlib import Path

import pyarrow.csv
import pyarrow.feather
import pyarrow.parquet as pq
import pytest
from fastapi.testclient import TestClient
from typer.testing import CliRunner, Result

from matrices.bundled import boxed
from matrices.export import UnknownFormatError
from matrices.items import Items
from matrices.measures.registry import UnknownMeasureError, answer, measure
from matrices.reading import UnknownMatrixError
from matrices.store import Store, StoreMissingError
from matrices.view import MeasureError
from service import Settings, create_app
from sprachbund.cli import app

INTERFERENCE, ZERO_SHOT = "interference-pos-tiny@0a1b", "zero_shot-pos-tiny@0a1b"


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["measure", *arguments])


def rows(printed: str) -> list[list[str]]:
    """The lines of the table below its headings, split at columns."""
    lines = printed.splitlines()
    below = lines[next(at for at, line in enumerate(lines) if "──" in line) + 1 :]
    body = itertools.takewhile(str.strip, below)
    return [[part.strip() for part in line.split("  ") if part.strip()] for line in body]


def test_interference_is_printed_with_names_and_verdicts_the_surest_first(measured_store: Store) -> None:
    printed = run(measured_store.uri, INTERFERENCE, "--what", "interference").stdout

    table = measure(measured_store, INTERFERENCE, "interference").sort_by("q").to_pylist()
    first = rows(printed)[0]
    assert first[0] in {"German (deu)", "Swahili (swa)"}
    assert [line[-1] for line in rows(printed)] == [row["label"] for row in table]
    assert "delta: score less baseline, paired by item and seed" in printed
    assert "4 harms" in printed


def test_many_rows_are_cut_off_and_the_rest_is_counted(measured_store: Store) -> None:
    printed = run(measured_store.uri, INTERFERENCE, "--what", "interference", "--lines", "3").stdout
    assert len(rows(printed)) == 3
    assert "3 of 16 rows, the smallest q first; --lines N shows more." in printed


@pytest.mark.parametrize("columns", ["40", "60", "80", "200"])
@pytest.mark.parametrize("what", ["interference", "donors", "ranks", "summary"])
def test_a_table_is_no_wider_than_the_terminal(
    measured_store: Store, what: str, columns: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    result = run(measured_store.uri, INTERFERENCE, "--what", what)
    assert result.exit_code == 0
    assert max(map(len, result.stdout.splitlines())) <= int(columns)


def test_a_narrow_terminal_has_codes_and_says_which_columns_it_leaves_out(
    measured_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    printed = run(measured_store.uri, ZERO_SHOT, "--what", "ratios").stdout
    assert "German" not in printed
    assert "--json and --out FILE.parquet also have to_target, above_constant." in printed.replace("\n", "")


def test_for_machines_it_is_what_the_service_answers(measured_store: Store, tmp_path: Path) -> None:
    printed = run(measured_store.uri, INTERFERENCE, "--what", "donors", "--json").stdout
    with TestClient(create_app(Settings(store=measured_store.uri, download_folder=tmp_path))) as client:
        answered = client.get(f"/v1/matrices/{INTERFERENCE}/measures/donors").text
    assert printed == answered + "\n"


@pytest.mark.parametrize("ending", ["parquet", "csv", "arrow"])
def test_a_file_has_every_row_and_column(measured_store: Store, tmp_path: Path, ending: str) -> None:
    out = tmp_path / f"measure.{ending}"
    printed = run(measured_store.uri, INTERFERENCE, "--what", "interference", "--lines", "1", "--out", str(out)).stdout

    read = {"parquet": pq.read_table, "csv": pyarrow.csv.read_csv, "arrow": pyarrow.feather.read_table}[ending](out)
    computed = measure(measured_store, INTERFERENCE, "interference")
    assert read.column_names == computed.column_names
    assert read["label"].to_pylist() == computed["label"].to_pylist()
    assert "16 rows" in printed
    if ending != "csv":
        assert read.schema.metadata[b"matrix"].decode() == INTERFERENCE


def test_a_composition_is_named_where_there_are_several(measured_store: Store) -> None:
    printed = run(
        measured_store.uri, INTERFERENCE, "--what", "interference", "--composition", "shift-10", "--json"
    ).stdout
    body = json.loads(printed)
    assert (body["composition"], len(body["rows"])) == ("shift-10", 1)


def test_unseen_languages_are_marked(measured_store: Store) -> None:
    printed = run(
        measured_store.uri, INTERFERENCE, "--what", "interference", "--unseen", "Hindi", "--unseen", "sw", "--json"
    ).stdout
    unseen = {row["source"] for row in json.loads(printed)["rows"] if row["source_unseen"]}
    assert unseen == {"hin", "swa"}


def test_unseen_languages_are_those_the_encoder_is_known_not_to_have_seen(measured_store: Store) -> None:
    [encoder] = {info.encoder for info in measured_store.matrices()}
    measured_store.keep_pretrained(encoder, ["deu", "eng", "swa"])
    arguments = (measured_store.uri, INTERFERENCE, "--what", "interference", "--json")
    known, stated = run(*arguments).stdout, run(*arguments, "--unseen", "swa").stdout

    unseen = [{row["source"] for row in json.loads(one)["rows"] if row["source_unseen"]} for one in (known, stated)]
    assert unseen == [{"hin"}, {"swa"}]


def test_the_store_may_be_named_as_in_other_commands(measured_store: Store) -> None:
    named = run(INTERFERENCE, "--store", measured_store.uri, "--what", "donors", "--json")
    assert named.stdout == run(measured_store.uri, INTERFERENCE, "--what", "donors", "--json").stdout


@pytest.mark.parametrize("task", ["pos", "topic"])
def test_without_a_store_the_box_is_measured_with_intervals_where_outcomes_are_kept(task: str) -> None:
    box = boxed()
    assert box is not None
    matrix = next(info.matrix for info in box.matrices() if info.kind == "zero_shot" and info.task == task)
    kept = box.cells(matrix, columns=["correct"])["correct"].null_count == 0
    assert (
        json.loads(run(matrix, "--what", "donors", "--json").stdout)["rows"]
        == answer(measure(box, matrix, "donors")).rows
    )
    assert ("95% interval" in run(matrix, "--what", "donors").stdout) == kept


def test_what_needs_outcomes_of_items_says_that_the_box_has_none() -> None:
    box = boxed()
    assert box is not None
    matrix = next(info.matrix for info in box.matrices() if info.kind == "interference")
    with pytest.raises(MeasureError, match=r"not the outcomes of items.*sprachbund fill"):
        raise run(matrix, "--what", "interference").exception or AssertionError("no error")


@pytest.mark.parametrize(
    ("arguments", "error", "said"),
    [
        (("nope", "--what", "donors"), UnknownMatrixError, f"there is: {INTERFERENCE}, {ZERO_SHOT}"),
        ((INTERFERENCE, "--what", "distance"), UnknownMeasureError, "there is: .*interference"),
        ((INTERFERENCE, "--what", "donors", "--composition", "fuse"), MeasureError, "shift-10, stack|stack, shift-10"),
        ((INTERFERENCE, "--what", "ratios"), MeasureError, "of kind interference"),
        ((INTERFERENCE, "--what", "donors", "--out", "x.xlsx"), UnknownFormatError, "use .parquet, .csv, .arrow"),
    ],
)
def test_errors_name_what_there_is(
    measured_store: Store, arguments: tuple[str, ...], error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said):
        raise run(measured_store.uri, *arguments).exception or AssertionError("no error")


def test_a_folder_without_a_store_and_too_many_names_are_errors(tmp_path: Path) -> None:
    assert isinstance(run(str(tmp_path), INTERFERENCE, "--what", "donors").exception, StoreMissingError)
    result = run("a", "b", "c", "--what", "donors")
    assert result.exit_code == 2
    assert "name one store and one matrix" in result.output


def test_on_parallel_items_one_may_say_what_is_solved(measured_store: Store, tmp_path: Path) -> None:
    """From no share on, every item is solved in every language."""
    store = Store.open(shutil.copytree(measured_store.uri, tmp_path / "store"))
    ids = tuple(str(number) for number in range(80))
    store.keep_items({ZERO_SHOT: dict.fromkeys(("deu", "eng", "hin", "swa"), Items(ids, "sib200"))})

    def transfers(*more: str) -> set[float]:
        printed = run(store.uri, ZERO_SHOT, "--what", "consistency", "--json", *more).stdout
        return {row["conditional_transfer"] for row in json.loads(printed)["rows"]}

    assert transfers("--solved", "0") == {1}
    assert max(transfers()) < 1
    assert run(store.uri, ZERO_SHOT, "--what", "consistency", "--solved", "1.5").exit_code == 2
