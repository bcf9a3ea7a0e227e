"""What was trained and measured once is found again: identities of today are those of the cells that people keep."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import pytest

from workers.job import Job
from workers.plan import Plan, make_plan

ROWS = "".join(f"{number}\tan item, the {number}th\t{'ab'[number % 2]}\n" for number in range(24))
CORPORA = """\
corpora:
  - {name: items, format: tsv, task: kind, languages: ["deu", "nld"], train: "{language}.tsv", test: "{language}-t.tsv"}
  - {name: german, format: text, language: "deu", text: deu.txt}
  - {name: dutch, format: text, language: "nld", text: nld.txt}
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Corpora and the files of an encoder, the same bytes on every machine."""
    root = tmp_path_factory.mktemp("identities")
    for code in ("deu", "nld"):
        (root / f"{code}.tsv").write_text(f"id\ttext\tlabel\n{ROWS}", encoding="utf-8")
        (root / f"{code}-t.tsv").write_text(f"id\ttext\tlabel\n{ROWS.replace('an item', 'other')}", encoding="utf-8")
        (root / f"{code}.txt").write_text(f"a sentence of {code}\n" * 3, encoding="utf-8")
    (root / "corpora.yaml").write_text(CORPORA, encoding="utf-8")
    folder = root / "encoder"
    folder.mkdir()
    shape = {"model_type": "xlm-roberta", "num_hidden_layers": 4, "hidden_size": 32}
    (folder / "config.json").write_text(json.dumps(shape), encoding="utf-8")
    (folder / "tokenizer.json").write_text("{}", encoding="utf-8")
    header = json.dumps({"lm_head.dense.weight": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}).encode()
    (folder / "model.safetensors").write_bytes(struct.pack("<Q", len(header)) + header + bytes(4))
    return root


def planned(place: Path, **knobs: Any) -> Plan:
    values = {
        "store": "store",
        "encoder": {"name": str(place / "encoder")},
        "corpora": place,
        "tasks": ["kind"],
        "sources": ["deu"],
        "targets": ["nld"],
        "seeds": [0],
        "precision": "fp32",
        "compositions": ["alone", "stack"],
    }
    return make_plan(Job.model_validate({**values, **knobs}).relative_to(place))


def identities(plan: Plan) -> dict[str, list[str]]:
    return {
        "matrix": [column.matrix for column in plan.columns],
        "language adapters": sorted(plan.languages),
        "task adapters": sorted(plan.tasks),
        "cells": [cell.cell_id for cell in plan.cells()],
    }


def test_identities_are_those_of_adapters_and_cells_that_are_kept(place: Path) -> None:
    assert identities(planned(place)) == {
        "matrix": ["kind-zero_shot-encoder-f62dce4d"],
        "language adapters": ["5c18b6f55b9d16ed5f8f9c0bc835d0ee", "ae776bad390fa52d22f92f89de4de928"],
        "task adapters": ["44ab71a94cc10b03484b38fd12b3107d", "c80ff16724f1919e49d64da997e787fe"],
        "cells": [
            "6a399c998ece1c33e518848f3d0dc6f3",
            "338255efa0485ed0aee7e0a75057597f",
            "94f3e12b700c0f289f1508f22afa87cf",
        ],
    }


def test_a_knob_that_came_later_is_part_of_an_identity_where_it_is_set(place: Path) -> None:
    before, after = identities(planned(place)), identities(planned(place, language_adapter={"others": 100}))
    assert not set(before["language adapters"]) & set(after["language adapters"])
    assert before["matrix"] != after["matrix"]


@pytest.mark.parametrize("method", ["lora", "full"])
def test_each_method_has_adapters_and_a_matrix_of_its_own(place: Path, method: str) -> None:
    before, after = identities(planned(place)), identities(planned(place, method=method))
    assert before["language adapters"] == after["language adapters"]
    assert not set(before["task adapters"]) & set(after["task adapters"])
    assert not set(before["cells"]) & set(after["cells"])
    assert after["matrix"][0].startswith(f"kind-zero_shot-{method}-encoder-")
