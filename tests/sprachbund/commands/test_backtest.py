from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from matrices.bundled import store_or_box
from matrices.encoders import UnknownEncoderError
from matrices.published.catalogue import catalogued_matrix
from matrices.published.reading import PublishedTableError
from matrices.reading import MatrixInfo
from matrices.store import Store, StoreMissingError
from sprachbund.cli import app
from sprachbund.commands.backtest import NothingToJudgeError

SOURCES = ("ces", "dan", "deu", "eng", "fra", "nld", "pol", "swe")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Eight sources on eight targets, in percent."""
    random = np.random.default_rng(0)
    lines = [f"{one},{other},{random.uniform(20, 60):.3f}" for one in SOURCES for other in SOURCES if one != other]
    path = tmp_path / "table.csv"
    path.write_text("\n".join(["source,target,score", *lines]) + "\n")
    return path


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def imported(file: Path, store: Path, *more: str) -> Result:
    return run("import", file, "--store", store, "--matrix", "published", "--task", "pos", "--percent", *more)


def test_a_table_is_imported_and_what_to_do_next_is_said(file: Path, tmp_path: Path) -> None:
    result = imported(file, tmp_path / "store", "--metric", "accuracy", "--encoder", "xlm-r")

    assert "56 cells added; version 1" in result.stdout
    assert "sprachbund recommend --store" in result.stdout
    [info] = Store(tmp_path / "store").matrices()
    assert (info.matrix, info.task, info.encoder, info.cells) == ("published", "pos", "xlm-r", 56)


def test_an_import_for_machines_is_one_object(file: Path, tmp_path: Path) -> None:
    imported(file, tmp_path / "store")
    again = json.loads(imported(file, tmp_path / "store", "--json").stdout)

    assert again == {"matrix": "published", "version": 1, "added": 0, "found": 56, "notes": []}


def test_a_line_that_cannot_be_read_leaves_no_store(file: Path, tmp_path: Path) -> None:
    file.write_text(file.read_text() + "deu,nowhere,1\n")
    result = imported(file, tmp_path / "store")

    assert isinstance(result.exception, PublishedTableError)
    assert not (tmp_path / "store").exists()


def test_a_backtest_for_machines_has_a_line_a_method(file: Path) -> None:
    answer = json.loads(run("backtest", file, "--json", "--processes", 1).stdout)

    methods = {line["method"]: line for line in answer["methods"]}
    assert {"random", "english", "popularity", "nearest_family"} <= methods.keys()
    for line in methods.values():
        assert {"ndcg_at_3", "ndcg_at_3_linear", "regret_at_1", "regret_at_3", "targets"} <= line.keys()
        assert line["targets"] == len(SOURCES)
        assert 0 <= line["regret_at_3"] <= line["regret_at_1"] <= 1
        low, high = line["intervals"]["regret_at_1"]
        assert low <= line["regret_at_1"] <= high
    assert {one["method"] for one in answer["skipped"]} >= {"langrank"}


def test_a_backtest_of_a_matrix_is_that_of_its_file(file: Path, tmp_path: Path) -> None:
    imported(file, tmp_path / "store")
    of_file = json.loads(run("backtest", file, "--json", "--processes", 1).stdout)
    of_matrix = json.loads(run("backtest", f"{tmp_path / 'store'}/published", "--json", "--processes", 1).stdout)

    for ours, theirs in zip(of_matrix["methods"], of_file["methods"], strict=True):
        assert ours["method"] == theirs["method"]
        assert ours["regret_at_1"] == pytest.approx(theirs["regret_at_1"])


def test_a_backtest_is_a_table_for_people(file: Path) -> None:
    result = run("backtest", file, "--processes", 1)

    assert "8 sources; 8 targets, each left out as source and target" in result.stdout
    assert "popularity" in result.stdout
    assert "without langrank: the table has no features of corpora" in result.stdout


def test_a_backtest_knows_what_a_named_encoder_was_pretrained_on(tmp_path: Path) -> None:
    """Scores that being seen by XLM-R decides, so that knowing it makes them nearly certain."""
    seen, unseen = ("dan", "deu", "fin", "fra", "ita", "pol"), ("bam", "ewe", "fao", "kin", "wol", "yor")
    random = np.random.default_rng(0)
    lines = [
        f"{source},{target},{0.4 + 0.4 * (target in seen) + random.uniform(0, 0.05):.3f}"
        for source in seen
        for target in (*seen, *unseen)
    ]
    path = tmp_path / "seen.csv"
    path.write_text("\n".join(["source,target,score", *lines]) + "\n")

    untold, told = (
        json.loads(run("backtest", path, *asked, "--json", "--processes", 1).stdout)["methods"][0]
        for asked in ((), ("--encoder", "xlm-roberta-base"))
    )

    assert told["score_error"] < 0.5 * untold["score_error"]
    assert told["interval_width"] < 0.5 * untold["interval_width"]
    assert told["ndcg_at_3"] == untold["ndcg_at_3"]


def test_an_encoder_that_nobody_knows_is_an_error_that_names_the_known(file: Path) -> None:
    result = run("backtest", file, "--encoder", "mine")

    assert isinstance(result.exception, UnknownEncoderError)
    assert "xlm-roberta-base" in str(result.exception)


def test_ranks_alone_are_judged_and_it_is_said(tmp_path: Path) -> None:
    file = tmp_path / "ranks.csv"
    file.write_text(
        "source,target,rank\n" + "".join(f"{s},{t},{r}\n" for t in ("yor", "wol") for r, s in enumerate(SOURCES))
    )

    assert "regret is in shares of the sources outranked" in run("backtest", file, "--processes", 1).stdout


def test_lines_are_chosen_by_value(file: Path) -> None:
    header, *lines = file.read_text().split()
    file.write_text(
        "\n".join([f"{header},task", *(f"{line},pos" for line in lines), *(f"{line},ner" for line in lines)])
    )

    assert isinstance(run("backtest", file).exception, PublishedTableError)
    assert run("backtest", file, "--where", "task=ner", "--processes", 1).exit_code == 0
    assert run("backtest", file, "--where", "task").exit_code == 2


def test_a_table_with_nothing_to_rank_says_so(tmp_path: Path) -> None:
    file = tmp_path / "table.csv"
    file.write_text("source,target,score\ndeu,yor,0.5\nyor,yor,0.9\n")

    assert isinstance(run("backtest", file).exception, NothingToJudgeError)


def test_a_store_that_is_not_there_is_named(tmp_path: Path) -> None:
    assert isinstance(run("backtest", tmp_path / "nowhere" / "matrix").exception, StoreMissingError)


def exported(folder: Path, ending: str) -> tuple[Path, MatrixInfo]:
    """The smallest matrix of the box that can be judged by, exported."""
    out = folder / f"matrix{ending}"
    infos = (info for info in store_or_box(None).matrices() if info.kind == "zero_shot" and info.sources > 5)
    smallest = min(infos, key=lambda info: info.cells)
    assert run("export", smallest.matrix, "--out", out).exit_code == 0
    return out, smallest


@pytest.mark.parametrize("ending", [".parquet", ".csv"])
def test_an_export_comes_back_in_by_every_door(tmp_path: Path, ending: str) -> None:
    file, there = exported(tmp_path, ending)

    [listed] = json.loads(run("matrices", "--store", file, "--json").stdout)["matrices"]
    of_file, of_box = (
        json.loads(run("recommend", *where, "--task", there.task, "--target", "wol", "--json").stdout)
        for where in (("--store", file), ("--matrix", there.matrix))
    )
    judged = json.loads(run("backtest", file, "--json", "--processes", 1).stdout)
    imported_again = json.loads(run("import", file, "--store", tmp_path / "store", "--json").stdout)

    assert listed["cells"] == there.cells
    assert of_file["sources"] == of_box["sources"]
    assert judged["methods"][0]["targets"] == there.targets
    assert imported_again["added"] >= listed["cells"]
    assert imported_again["matrix"] == listed["matrix"]
    assert {info.matrix for info in Store(tmp_path / "store").matrices()} == {listed["matrix"]}


def test_a_catalogued_matrix_is_imported_from_a_mirror_with_where_it_is_from(tmp_path: Path) -> None:
    known = catalogued_matrix("xpos-pos")
    path = tmp_path / "mirror" / known.place
    path.parent.mkdir(parents=True)
    path.write_text(",task_type,lang_train,lang_pred,score\n0,tc,en,nl,89.8\n1,tc,nl,en,83.7\n")

    result = run("import", "--known", "xpos-pos", "--mirror", tmp_path / "mirror", "--store", tmp_path / "store")

    assert result.exit_code == 0, result.output
    cells = Store(tmp_path / "store").cells("xpos-pos")
    assert sorted(cells["score"].to_pylist()) == [pytest.approx(0.837), pytest.approx(0.898)]
    [provenance] = set(cells["provenance"].to_pylist())
    assert known.address in provenance
    assert "no licence stated" in provenance


@pytest.mark.parametrize("arguments", [(), ("FILE", "--known", "xpos-pos")])
def test_an_import_is_of_a_file_or_of_a_catalogued_matrix(file: Path, tmp_path: Path, arguments: tuple[str]) -> None:
    given = [str(file) if one == "FILE" else one for one in arguments]

    assert run("import", *given, "--store", tmp_path / "store").exit_code == 2


def test_a_published_table_needs_a_name_and_a_task(file: Path, tmp_path: Path) -> None:
    result = run("import", file, "--store", tmp_path / "store", "--task", "pos")

    assert result.exit_code == 2
    assert "--matrix" in result.output


def test_a_grid_in_a_spreadsheet_s_csv_is_imported_with_options(tmp_path: Path) -> None:
    grid = tmp_path / "grid.csv"
    grid.write_text("cible;de;yo;avg\nen;20,5;40;30\nfr;30;50;40\n")
    arguments = ("--store", tmp_path / "store", "--matrix", "a", "--task", "asr", "--percent", "--json")

    refused = run("import", grid, *arguments)
    done = json.loads(
        run("import", grid, *arguments, "--rows-are", "targets", "--lower-is-better", "--skip-unknown").stdout
    )

    assert isinstance(refused.exception, PublishedTableError)
    assert (done["added"], len(done["notes"])) == (4, 1)
    scores = Store(tmp_path / "store").cells("a", target="eng", source="deu")["score"].to_pylist()
    assert scores == [pytest.approx(0.795)]


def test_seeds_are_columns_named_one_by_one(tmp_path: Path) -> None:
    table = tmp_path / "seeds.csv"
    table.write_text("source,target,a,b\nde,yo,0.4,0.6\nfr,yo,0.2,0.4\n")
    arguments = ("--store", tmp_path / "store", "--matrix", "m", "--task", "pos")

    assert run("import", table, *arguments, "--score-column", "a", "--score-column", "b").exit_code == 0
    assert Store(tmp_path / "store").cells("m", source="deu")["seed"].to_pylist() == [0, 1]
