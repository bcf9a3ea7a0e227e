"""A job from its file to its numbers, by every method; broken off at any moment; and mistakes in the file."""

from __future__ import annotations

import shutil
from pathlib import Path

import pyarrow as pa
import pytest
import yaml

from workers.config import ConfigError
from workers.corpora.types import CorpusError
from workers.landscape.job import LandscapeJob, load_landscape_job
from workers.landscape.plan import make_landscape_plan
from workers.landscape.run import NUMBERS, LandscapeProgress, conduct
from workers.landscape.statistics import summarise

JOBS = Path(__file__).parents[3] / "jobs"
RECIPES = {
    "bottleneck": "task_adapter: {epochs: 1, batch: 16, reduction: 4}",
    "lora": "lora: {epochs: 1, batch: 16, rank: 2}",
    "full": "full: {epochs: 1, batch: 16}",
}


ALPHAS = "alphas: [-0.5, 0, 0.5, 1]"


def job_of(
    folder: Path, corpora: Path, encoder: Path, method: str = "bottleneck", more: str = "", seeds: str = "[0, 1]"
) -> LandscapeJob:
    folder.mkdir(parents=True, exist_ok=True)
    alphas = "" if more.startswith("alphas") else ALPHAS
    text = f"""\
out: out
encoder: {{name: {encoder}}}
corpora: {corpora}
task: corner
pairs: {{qaa: [qab, qac]}}
seeds: {seeds}
{alphas}
snapshots: 2
method: {method}
precision: fp32
{RECIPES[method]}
{more}
"""
    (folder / "job.yaml").write_text(text, encoding="utf-8")
    return load_landscape_job(folder / "job.yaml")


class KilledError(Exception):
    """Stands for a machine that died."""


@pytest.mark.parametrize("method", RECIPES)
def test_every_point_of_every_line_is_measured_in_both_languages(
    tmp_path: Path, tiny_corpora: Path, tiny_encoder_folder: Path, method: str
) -> None:
    job = job_of(tmp_path, tiny_corpora, tiny_encoder_folder, method)
    table = conduct(make_landscape_plan(job))
    frame = table.to_pandas()
    lines = frame[(frame["point"] == "line") & (frame["measure"] == "loss")]
    paired = lines[lines["toward"] != "qaa"]
    assert len(paired) == 2 * 2 * 2 * 4  # seeds, targets, languages, alphas
    control = lines[lines["toward"] == "qaa"]
    assert sorted(control["language"].unique()) == ["qaa", "qab", "qac"]
    assert frame.loc[frame["measure"].isin(["loss", "error"]), "value"].notna().all()
    # All lines of a seed begin at one point, so that they agree there, whatever they lead to.
    at_0 = lines[lines["alpha"] == 0].groupby(["seed", "language"])["value"]
    assert (at_0.nunique() == 1).all()
    assert (paired[paired["alpha"] == 1].groupby(["seed", "toward", "language"])["value"].nunique() == 1).all()
    along = frame[frame["measure"] == "along"]
    assert set(along["point"]) == {"averaged", "averaged_half", "start"}
    assert summarise(table).pairs == [("qaa", "qab"), ("qaa", "qac")]
    assert (job.out / NUMBERS).is_file()


def test_the_job_of_full_fine_tuning_runs_through_on_a_small_encoder(
    tmp_path: Path, tiny_corpora: Path, tiny_encoder_folder: Path
) -> None:
    stated = yaml.safe_load((JOBS / "landscape_full.yaml").read_text(encoding="utf-8"))
    here = {"out": "out", "encoder": {"name": str(tiny_encoder_folder)}, "corpora": str(tiny_corpora)}
    smaller = {"task": "corner", "pairs": {"qaa": ["qab", "qac"]}, "full": {**stated["full"], "leave_out": 1}}
    (tmp_path / "job.yaml").write_text(yaml.safe_dump({**stated, **here, **smaller}), encoding="utf-8")
    job = load_landscape_job(tmp_path / "job.yaml")
    found = summarise(conduct(make_landscape_plan(job)))
    assert job.method == "full"
    assert found.pairs == [("qaa", "qab"), ("qaa", "qac")]
    assert len(job.seeds) == 5


def test_a_job_that_was_killed_at_any_moment_ends_with_the_same_numbers(
    tmp_path: Path, tiny_corpora: Path, tiny_encoder_folder: Path
) -> None:
    surfaces = "surfaces: [{source: qaa, target: qab, axis: random, along: [0, 1], across: [0, 1]}]"
    whole = make_landscape_plan(
        job_of(tmp_path / "whole", tiny_corpora, tiny_encoder_folder, more=surfaces, seeds="[0]")
    )
    told: list[LandscapeProgress] = []
    expected = conduct(whole, told.append)
    assert told[-1].done == told[-1].total == 4
    broken = make_landscape_plan(
        job_of(tmp_path / "broken", tiny_corpora, tiny_encoder_folder, more=surfaces, seeds="[0]")
    )
    # While a head learns, while a run learns, between lines, within one, and on the surface.
    for moment in (0, 3, 9, len(told) // 2, len(told) - 2):
        count = 0

        def kill(_: LandscapeProgress, moment: int = moment) -> None:
            nonlocal count
            count += 1
            if count > moment:
                raise KilledError

        with pytest.raises(KilledError):
            conduct(broken, kill)
        resumed = conduct(broken)
        assert _plain(resumed) == _plain(expected)
        shutil.rmtree(broken.job.out)
    assert not list((tmp_path / "whole").rglob(".*.safetensors"))


def test_a_finished_job_trains_nothing_and_another_alpha_trains_nothing_either(
    tmp_path: Path, tiny_corpora: Path, tiny_encoder_folder: Path
) -> None:
    job = job_of(tmp_path, tiny_corpora, tiny_encoder_folder)
    conduct(make_landscape_plan(job))
    runs = {path: path.stat().st_mtime_ns for path in (job.out / "runs").iterdir()}
    conduct(make_landscape_plan(job.model_copy(update={"alphas": (-0.25, 0.0, 0.25, 1.0)})))
    assert {path: path.stat().st_mtime_ns for path in (job.out / "runs").iterdir()} == runs


def test_a_surface_agrees_with_the_line_that_it_holds(
    tmp_path: Path, tiny_corpora: Path, tiny_encoder_folder: Path
) -> None:
    more = "surfaces: [{source: qaa, target: qab, axis: qac, along: [0, 0.5, 1], across: [0, 1]}]"
    frame = conduct(make_landscape_plan(job_of(tmp_path, tiny_corpora, tiny_encoder_folder, more=more))).to_pandas()
    seed = frame[(frame["seed"] == 0) & (frame["measure"] == "loss")]
    plane, lines = seed[seed["point"] == "surface"], seed[(seed["point"] == "line")]
    along = plane[plane["beta"] == 0]
    for row in along[along["language"] != "qac"].itertuples():
        on_line = lines[
            (lines["toward"] == "qab") & (lines["language"] == row.language) & (lines["alpha"] == row.alpha)
        ]
        assert float(on_line["value"].iloc[0]) == row.value
    other_end = plane[(plane["alpha"] == 0) & (plane["beta"] == 1) & (plane["language"] == "qac")]
    end = lines[(lines["toward"] == "qac") & (lines["language"] == "qac") & (lines["alpha"] == 1)]
    assert float(other_end["value"].iloc[0]) == float(end["value"].iloc[0])


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("alphas: [0, 0.5, 1]", "below it too"),
        ("surfaces: [{source: qab, target: qaa}]", "not among the `pairs`"),
        ("surfaces: [{source: qaa, target: qab, axis: qab}]", "no second axis"),
        ("lora: {rank: 2}", "goes with `method: lora` only"),
    ],
)
def test_mistakes_name_the_line_and_what_is_allowed(
    tmp_path: Path, tiny_corpora: Path, tiny_encoder_folder: Path, more: str, said: str
) -> None:
    with pytest.raises(ConfigError, match=said):
        job_of(tmp_path, tiny_corpora, tiny_encoder_folder, more=more)


def test_a_language_without_train_data_is_named_with_those_that_have_some(
    tmp_path: Path, tiny_corpora: Path, tiny_encoder_folder: Path
) -> None:
    job = job_of(tmp_path, tiny_corpora, tiny_encoder_folder)
    with pytest.raises(CorpusError, match="no train data for corner in deu; languages that have: qaa, qab"):
        make_landscape_plan(job.model_copy(update={"pairs": {"qaa": ("deu",)}}))


def _plain(table: pa.Table) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = table.to_pylist()
    return rows
