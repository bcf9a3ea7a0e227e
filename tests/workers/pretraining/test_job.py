"""A pretraining job: what its file may say."""

from pathlib import Path

import pytest

from workers.config import ConfigError
from workers.pretraining import load_pretrain_job

JOB = "out: encoder\ncorpora: ../data\n"


def write(folder: Path, text: str) -> Path:
    path = folder / "pretrain.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_paths_are_taken_from_the_folder_of_the_file_and_languages_normalised(tmp_path: Path) -> None:
    job = load_pretrain_job(write(tmp_path, JOB + 'languages: ["yo", "English", "Yoruba"]\n'))
    assert (job.out, job.corpora) == (tmp_path / "encoder", tmp_path / "../data")
    assert job.languages == ("eng", "yor")


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ("steps: 3\nheads: 3\n", r"yaml:4: `heads`: 3 does not divide `hidden`: 256"),
        ("translation: 0.6\ncontrast: 0.6\n", r"yaml:3: `translation` and `contrast` are shares of the same steps"),
        ("seed: 1\nlength: 300\n", r"yaml:4: `length` and twice `pair_length` must fit `max_length`"),
        ("pair_lenght: 3\n", r"yaml:3: unknown key `pair_lenght`; did you mean `pair_length`\?"),
        ("languages:\n  - eng\n  - no\n", r'yaml:5: `languages\.1`: YAML read a bare `no` as False; quote it: "no"'),
        ("languages:\n  - eng\n  - xzx\n", r"yaml:5: `languages\.1`: unknown language 'xzx'"),
        ("languages: []\n", r"yaml:3: `languages`: .*at least 1"),
        ("start: {name: x}\nvocabulary: 100\n", r"yaml:4: `vocabulary` is that of the encoder at `start`"),
        ("start: {name: x}\ncontrast: 0.1\n", r"yaml:4: `contrast` is that of the encoder at `start`"),
        ("seed: 1\ntrain: head\n", r"yaml:4: `train`: head goes with `start` only"),
        ("embeddings: alined\n", r"yaml:3: `embeddings`: Input should be 'random' or 'aligned'; found 'alined'"),
    ],
)
def test_mistake_has_its_line(tmp_path: Path, more: str, told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        load_pretrain_job(write(tmp_path, JOB + more))


@pytest.mark.parametrize(
    ("more", "needed"),
    [("", False), ("embeddings: aligned\n", True), ("translation: 0.1\n", True), ("contrast: 0.1\n", True)],
)
def test_job_knows_whether_it_reads_translations(tmp_path: Path, more: str, needed: bool) -> None:
    assert load_pretrain_job(write(tmp_path, JOB + more)).needs_parallel_text is needed


def test_recipe_that_ships_is_valid() -> None:
    job = load_pretrain_job(Path(__file__).parents[3] / "jobs" / "encoder.yaml")
    assert job.languages is not None
    assert "eng" in job.languages
