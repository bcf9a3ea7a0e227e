"""A small parallel corpus of two invented languages, and jobs over it that take a second."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from workers.pretraining import PretrainJob

MEANINGS = 40
LINES = 300
DECLARATION = """\
corpora:
  - name: twins
    format: text
    languages: ["qaa", "qab"]
    text: "{language}.txt"
    parallel: twins
  - {name: alone, format: text, language: "qac", text: qac.txt}
"""


def word(meaning: int, language: str) -> str:
    """A word of two syllables, in letters of its language."""
    consonants, vowels = {"qaa": ("bdfgk", "aeio"), "qab": ("лмнпр", "аеио"), "qac": ("стхцч", "яюэы")}[language]
    syllables = [consonant + vowel for consonant in consonants for vowel in vowels]
    return syllables[meaning % 20] + syllables[(7 * meaning + meaning // 20) % 20]


@pytest.fixture(scope="session")
def twins(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Corpora with two languages that say the same, line by line, and one that stands alone."""
    root = tmp_path_factory.mktemp("twins")
    meanings = np.random.default_rng(0).integers(0, MEANINGS, (LINES, 6)).tolist()
    for language in ("qaa", "qab", "qac"):
        lines = [" ".join(word(meaning, language) for meaning in line) for line in meanings]
        (root / f"{language}.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (root / "corpora.yaml").write_text(DECLARATION, encoding="utf-8")
    return root


@pytest.fixture
def job_of(tmp_path: Path, twins: Path) -> Callable[..., PretrainJob]:
    def _job_of(**knobs: Any) -> PretrainJob:
        small = {
            "vocabulary": 200,
            "layers": 1,
            "hidden": 32,
            "heads": 2,
            "max_length": 32,
            "steps": 40,
            "tokens": 256,
            "length": 16,
            "pair_length": 16,
            "checkpoint_every": 15,
            "precision": "fp32",
        }
        return PretrainJob.model_validate({"out": tmp_path / "encoder", "corpora": twins, **small, **knobs})

    return _job_of
