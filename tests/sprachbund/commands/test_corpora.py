"""`sprachbund corpora`: what a folder holds, for people and for machines."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from sprachbund.cli import app

ROW = "{}\tGoal\tsports\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Two corpora of topics in Yoruba, the smaller one first by name, and raw text."""
    for name, count in (("train", 3), ("test", 1), ("less", 2)):
        rows = "".join(ROW.format(n) for n in range(count))
        (tmp_path / f"{name}.tsv").write_text("id\ttext\tlabel\n" + rows, encoding="utf-8")
    (tmp_path / "text.txt").write_text("one\ntwo\n", encoding="utf-8")
    (tmp_path / "corpora.yaml").write_text(
        "corpora:\n"
        "  - {name: more, format: tsv, task: topic, language: yor, train: train.tsv, test: test.tsv}\n"
        "  - {name: less, format: tsv, task: topic, language: yor, train: less.tsv}\n"
        "  - {name: raw, format: text, language: hau, text: text.txt, licence: CC0}\n",
        encoding="utf-8",
    )
    return tmp_path


def run(*arguments: str) -> Result:
    result = CliRunner().invoke(app, ["corpora", *arguments])
    assert result.exit_code == 0, result.output
    return result


def test_table_has_a_row_a_language_with_the_items_of_each_split(root: Path) -> None:
    lines = [line.split() for line in run(str(root)).output.splitlines()]
    assert ["language", "topic", "text"] in lines
    assert ["hau", "Hausa", "2"] in lines
    assert ["yor", "Yoruba", "3/–/1"] in lines


def test_table_says_which_of_several_corpora_was_chosen(root: Path) -> None:
    assert "topic in yor: more, not less" in run(str(root)).output


def test_json_is_one_object_with_an_entry_a_split(root: Path) -> None:
    told = json.loads(run(str(root), "--json").output)
    assert told["root"] == str(root)
    assert [(e["task"], e["language"], e["split"], e["corpus"], e["items"], e["chosen"]) for e in told["entries"]] == [
        ("text", "hau", None, "raw", 2, True),
        ("topic", "yor", "test", "more", 1, True),
        ("topic", "yor", "train", "less", 2, False),
        ("topic", "yor", "train", "more", 3, True),
    ]
    assert told["entries"][0]["licence"] == "CC0"


def test_copies_of_test_items_among_the_train_items_are_counted(root: Path) -> None:
    told = "topic: train items whose text is in the dev or test split too, which jobs leave out of training: yor 3 of 3"
    assert told in " ".join(run(str(root)).output.split())
    copies = {(e["corpus"], e["split"]): e["copies"] for e in json.loads(run(str(root), "--json").output)["entries"]}
    assert copies == {("raw", None): None, ("more", "test"): None, ("less", "train"): None, ("more", "train"): 3}
