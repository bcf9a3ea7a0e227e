"""Small corpora, and plans of jobs over them."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from workers.job import Job
from workers.plan import Plan, make_plan

LANGUAGES = ("deu", "eng", "hau", "yor")
DECLARATION = """\
corpora:
  - {name: raw, format: text, languages: [deu, eng, yor], text: "{language}.txt"}
  - {name: topics, format: tsv, task: topic, languages: [deu, eng, hau, yor], train: "{language}.train.tsv",
     test: "{language}.test.tsv"}
  - {name: moods, format: tsv, task: mood, language: eng, train: eng.mood.tsv, test: eng.calm.tsv}
"""

Plans = Callable[..., Plan]


@dataclass(frozen=True)
class Corpora:
    """Topics in four languages, moods in English alone, and raw text of all but Hausa, in one folder."""

    root: Path

    def label(self, name: str, labels: Sequence[str], words: str) -> None:
        """Write a file of labelled texts anew."""
        rows = "".join(f"{number}\t{words} {number}\t{label}\n" for number, label in enumerate(labels))
        (self.root / name).write_text("id\ttext\tlabel\n" + rows, encoding="utf-8")

    def write_text(self, language: str, text: str) -> None:
        """Write a language's raw text anew."""
        (self.root / f"{language}.txt").write_text(text, encoding="utf-8")

    def drop_train_data(self, language: str) -> None:
        """Leave topics of a language to test on alone."""
        text = DECLARATION.replace(
            "languages: [deu, eng, hau, yor], train",
            f"languages: [{', '.join(sorted({*LANGUAGES} - {language}))}], train",
        )
        only_test = f"  - {{name: rest, format: tsv, task: topic, language: {language}, test: {language}.test.tsv}}\n"
        (self.root / "corpora.yaml").write_text(text + only_test, encoding="utf-8")


@pytest.fixture
def corpora(tmp_path: Path) -> Corpora:
    """The corpora as they are at first."""
    made = Corpora(tmp_path / "corpora")
    made.root.mkdir()
    for language in LANGUAGES:
        for split in ("train", "test"):
            made.label(f"{language}.{split}.tsv", ["sports", "travel"] * 12, f"{language} {split}")
        if language != "hau":
            made.write_text(language, f"a line of {language}\nand another\n")
    made.label("eng.mood.tsv", ["good", "bad"] * 12, "mood")
    made.label("eng.calm.tsv", ["good", "bad"] * 12, "calm")
    (made.root / "corpora.yaml").write_text(DECLARATION, encoding="utf-8")
    return made


@pytest.fixture
def encoder(tmp_path: Path) -> Path:
    """A folder that passes for an encoder as long as nobody opens it; a plan only takes its digest."""
    folder = tmp_path / "encoder"
    folder.mkdir()
    config = {"model_type": "xlm-roberta", "num_hidden_layers": 2}
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    (folder / "tokenizer.json").write_text("{}", encoding="utf-8")
    save_file({"lm_head.dense.weight": np.zeros(1, np.float32)}, folder / "model.safetensors")
    return folder


@pytest.fixture
def plans(corpora: Corpora, encoder: Path, job_of: Callable[..., Job]) -> Plans:
    """Plans a job of English and German for English and Yoruba, and whatever knobs differ."""

    def plan(**knobs: Any) -> Plan:
        usual = {"tasks": ["topic"], "sources": ["eng", "deu"], "targets": ["eng", "yor"], "seeds": [0, 1]}
        return make_plan(job_of(knobs.pop("corpora", corpora.root), encoder, **{**usual, **knobs}))

    return plan


@pytest.fixture
def both() -> dict[str, Any]:
    """Knobs of a job that adds languages by their adapters and by shifting the encoder, in two budgets."""
    shift = {"budgets": [10, 1], "tokens": 64, "length": 32}
    return {"kind": "interference", "compositions": ["stack", "shift"], "shift": shift}
