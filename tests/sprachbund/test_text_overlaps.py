"""Plain text is all that is known of twelve languages: their sources do well on what is written in the same letters."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient
from typer.testing import CliRunner, Result

from service import Settings, create_app
from sprachbund.cli import app
from sprachbund.text_overlaps import overlaps_in
from workers.corpora.types import CorpusError

CODES = [f"qa{letter}" for letter in "abcdefghijkl"]
ALIKE = CODES[2::2]
"""Those in the letters of the first, of which nothing was measured."""


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture
def corpora(tmp_path: Path) -> Path:
    random = np.random.default_rng(0)
    for at, code in enumerate(CODES):
        words = ["".join(random.choice(list(["aeimn", "oukst"][at % 2]), 4)) for _ in range(300)]
        (tmp_path / f"{code}.txt").write_text("\n".join(words))
    listed = ", ".join(f'"{code}"' for code in CODES)
    block = f'{{name: own, format: text, languages: [{listed}], text: "{{language}}.txt"}}'
    (tmp_path / "corpora.yaml").write_text(f"corpora:\n  - {block}\n")
    return tmp_path


@pytest.fixture
def table(tmp_path: Path) -> Path:
    random = np.random.default_rng(0)
    pairs = [(at, to) for at in range(1, 12) for to in range(1, 12) if at != to]
    lines = [f"{CODES[at]},{CODES[to]},{40 + 10 * (at % 2 == to % 2) + random.normal():.3f}" for at, to in pairs]
    path = tmp_path / "table.csv"
    path.write_text("\n".join(["source,target,score", *lines]) + "\n")
    return path


@pytest.fixture
def store(table: Path, tmp_path: Path) -> Path:
    assert (
        run("import", table, "--store", tmp_path / "store", "--matrix", "m", "--task", "pos", "--percent").exit_code
        == 0
    )
    return tmp_path / "store"


def test_a_language_of_which_only_text_is_known_gets_the_sources_it_shares_letters_with(
    store: Path, corpora: Path
) -> None:
    asked = ["recommend", "--store", store, "--task", "pos", "--target", "qaa", "--json"]
    told, untold = (json.loads(run(*asked, *more).stdout) for more in (["--corpora", corpora], []))

    assert {one["source"] for one in told["sources"]} == set(ALIKE)
    assert "corpora" in told["sources"][0]["knowledge"]["known"]
    assert "corpora" in untold["sources"][0]["knowledge"]["missing"]


def test_what_databases_say_of_other_languages_does_not_hide_what_texts_say(tmp_path: Path, corpora: Path) -> None:
    """Of the others kin explains every score as well as letters do."""
    germanic, slavic = (
        ("afr", "dan", "deu", "eng", "isl", "nld", "swe"),
        ("bel", "bul", "ces", "hrv", "pol", "rus", "slk"),
    )
    random = np.random.default_rng(0)
    lines = [
        f"{one},{to},{40 + 10 * any(one in kin and to in kin for kin in (germanic, slavic)) + random.normal():.3f}"
        for one in germanic + slavic
        for to in germanic + slavic
        if one != to
    ]
    (tmp_path / "known.csv").write_text("\n".join(["source,target,score", *lines]) + "\n")
    for code in germanic + slavic:
        (corpora / f"{code}.txt").write_text((corpora / CODES[int(code in slavic)]).with_suffix(".txt").read_text())
    listed = ", ".join(f'"{code}"' for code in ("qaa", "qab", *germanic, *slavic))
    block = f'{{name: own, format: text, languages: [{listed}], text: "{{language}}.txt"}}'
    (corpora / "corpora.yaml").write_text(f"corpora:\n  - {block}\n")
    store = tmp_path / "known"
    run("import", tmp_path / "known.csv", "--store", store, "--matrix", "m", "--task", "pos", "--percent")

    for target, kin in (("qaa", germanic), ("qab", slavic)):
        asked = ["--store", store, "--task", "pos", "--target", target, "-k", 7, "--corpora", corpora, "--json"]
        answer = json.loads(run("recommend", *asked).stdout)
        assert {one["source"] for one in answer["sources"]} == set(kin)
        assert {rests["target"] for rests in answer["sources"][0]["rests_on"]} <= {*germanic, *slavic}
        assert answer["knowledge"]["known"] == ["corpora"]


def test_why_texts_are_not_used_is_said(store: Path, corpora: Path) -> None:
    def asked(target: str, *more: object) -> str:
        text = run("recommend", "--task", "pos", "--target", target, "--corpora", corpora, *more).stdout
        return " ".join(text.split())

    assert "note: texts of qba are not used" in asked("qba", "--store", store)
    assert "note" not in asked("qaa", "--store", store)
    (corpora / "qal.txt").rename(corpora / "oci.txt")
    (corpora / "corpora.yaml").write_text((corpora / "corpora.yaml").read_text().replace('"qal"', '"oci"'))
    assert "note: texts of Occitan are not used: databases know it, and say more" in asked("oci")


def test_a_service_with_the_texts_answers_as_the_command_does(store: Path, corpora: Path) -> None:
    told = json.loads(
        run("recommend", "--store", store, "--task", "pos", "--target", "qaa", "--corpora", corpora, "--json").stdout
    )
    with TestClient(create_app(Settings(store=str(store)), overlaps_in(corpora))) as client:
        served = client.get("/v1/recommendations", params={"task": "pos", "target": "qaa"}).json()

    assert served == told


def test_a_backtest_says_what_the_texts_are_worth(table: Path, corpora: Path) -> None:
    def ours(*more: object) -> dict[str, Any]:
        found = json.loads(run("backtest", table, "--processes", 1, "--json", *more).stdout)
        return next(one for one in found["methods"] if one["method"] == "sprachbund")

    told, untold = ours("--corpora", corpora), ours()
    assert told["regret_at_1"] < untold["regret_at_1"]
    assert told["ndcg_at_3"] > untold["ndcg_at_3"]


def test_texts_of_other_languages_alone_are_an_error_that_names_them(corpora: Path) -> None:
    with pytest.raises(CorpusError, match="no raw text of any language that is asked about; only of qaa, qab"):
        overlaps_in(corpora, {"deu"})
    assert overlaps_in(None) is None
