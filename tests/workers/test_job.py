"""A matrix job: the file of the documentation, languages in any form, paths from the file's folder."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from workers.config import ConfigError
from workers.job import Job, load_job

JOB = """\
store: ./store
encoder: {name: ../encoder}
corpora: ../data
tasks: [pos, topic]
sources: ["eng", "deu"]
targets: ["yor"]
"""
VALUES: dict[str, Any] = {
    "store": "s",
    "encoder": {"name": "e"},
    "corpora": "c",
    "tasks": ["pos"],
    "sources": ["eng"],
    "targets": ["yor"],
}


JOBS = Path(__file__).parents[2] / "jobs"
OF_MATRICES = [path for path in sorted(JOBS.glob("*.yaml")) if path.read_text(encoding="utf-8").count("\ntasks:")]


@pytest.mark.parametrize("path", OF_MATRICES, ids=lambda path: path.stem)
def test_every_job_that_is_kept_here_can_be_read(path: Path) -> None:
    assert load_job(path).corpora == JOBS / "../../shared/data"


def load(folder: Path, text: str) -> Job:
    (folder / "job.yaml").write_text(text, encoding="utf-8")
    return load_job(folder / "job.yaml")


def test_defaults_are_the_documented_ones(tmp_path: Path) -> None:
    job = load(tmp_path, JOB)
    assert (job.kind, job.seeds, job.pivots, job.precision) == ("zero_shot", (0, 1, 2), None, "auto")
    assert (job.language_adapter.steps, job.task_adapter.epochs, job.evaluation.split) == (500, 5, "test")


def test_paths_are_taken_from_the_folder_of_the_file(tmp_path: Path) -> None:
    job = load(tmp_path, JOB)
    assert Path(job.store) == tmp_path / "store"
    assert (job.corpora, job.zoo) == (tmp_path / "../data", str(tmp_path / "zoo"))
    assert job.encoder.name == "../encoder"


def test_absolute_paths_stay(tmp_path: Path) -> None:
    job = load(tmp_path, JOB.replace("./store", "/elsewhere/store").replace("../data", "/data") + "zoo: /zoo\n")
    assert (job.store, job.corpora, job.zoo) == ("/elsewhere/store", Path("/data"), "/zoo")


@pytest.mark.parametrize(
    ("store", "zoo"),
    [("s3://bucket/jobs/store", "s3://bucket/jobs/zoo"), ("gs://bucket/store/", "gs://bucket/zoo")],
)
def test_store_in_a_bucket_stays_and_has_its_zoo_beside_it(tmp_path: Path, store: str, zoo: str) -> None:
    job = JOB.replace("./store", store)
    assert (load(tmp_path, job).store, load(tmp_path, job).zoo) == (store, zoo)
    assert load(tmp_path, job + "zoo: kept\n").zoo == str(tmp_path / "kept")
    assert load(tmp_path, JOB + "zoo: s3://other/zoo\n").zoo == "s3://other/zoo"


def test_store_that_is_a_whole_bucket_has_nothing_beside_it(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"job\.yaml:1: `zoo`: must be given where the store is a whole bucket"):
        load(tmp_path, JOB.replace("./store", "s3://bucket/"))


@pytest.mark.parametrize("key", ["store", "zoo"])
def test_a_place_nobody_can_reach_has_its_line(tmp_path: Path, key: str) -> None:
    lines = [line for line in JOB.splitlines() if not line.startswith("store")]
    lines = [f"{key}: ftp://server/place", *lines] if key == "store" else ["store: kept", f"{key}: ftp://s/p", *lines]
    told = rf"job\.yaml:\d: `{key}`: name a folder, or a URI that begins with s3:// or gs://; found 'ftp:"
    with pytest.raises(ConfigError, match=told):
        load(tmp_path, "\n".join(lines))


@pytest.mark.parametrize(
    ("given", "code"),
    [("yo", "yor"), ("yo-NG", "yor"), ("Yoruba", "yor"), ("no", "nor"), ("arb", "ara"), ("qaa", "qaa")],
)
def test_languages_become_iso_639_3(given: str, code: str) -> None:
    job = Job.model_validate(VALUES | {"sources": [given], "targets": ["deu", given], "kind": "interference"})
    assert (job.sources, job.targets) == ((code,), ("deu", code))
    assert Job.model_validate(VALUES | {"pivots": [given], "kind": "interference"}).pivots == (code,)


@pytest.mark.parametrize("key", ["sources", "targets"])
def test_language_listed_under_two_names_is_an_error(tmp_path: Path, key: str) -> None:
    lines = [line for line in JOB.splitlines() if not line.startswith(key)]
    with pytest.raises(ConfigError, match=rf"job\.yaml:6: `{key}`: deu is listed twice, perhaps under two names"):
        load(tmp_path, "\n".join([*lines, f'{key}: ["de", "eng", "German"]\n']))


def test_cells_are_of_the_languages_of_the_job(tmp_path: Path) -> None:
    assert load(tmp_path, JOB + 'cells: {Yoruba: ["en"]}\n').cells == {"yor": ("eng",)}
    with pytest.raises(ConfigError, match=r"`cells`: wol is not among the targets; add it there"):
        load(tmp_path, JOB + 'cells: {wol: ["eng"]}\n')
    with pytest.raises(ConfigError, match=r"`cells`: hau is not among the sources; add it there"):
        load(tmp_path, JOB + 'cells: {yor: ["hau"]}\n')


def test_unknown_language_has_its_own_line_and_the_nearest_known(tmp_path: Path) -> None:
    lines = [line for line in JOB.splitlines() if not line.startswith("sources")]
    with pytest.raises(ConfigError, match=r"job\.yaml:8: `sources\.1`: unknown language 'Yorubba'.*yor \(Yoruba\)"):
        load(tmp_path, "\n".join([*lines, "sources:", "  - eng", "  - Yorubba", "  - fra\n"]))


def test_bare_no_is_told_to_be_quoted(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r'job\.yaml:6: `targets\.1`: YAML read a bare `no` as False; quote it: "no"'):
        load(tmp_path, JOB.replace('["yor"]', "[yor, no]"))


def test_pivots_go_with_interference_only(tmp_path: Path) -> None:
    pivots = 'pivots: ["eng"]\n'
    assert load(tmp_path, JOB + pivots + "kind: interference\n").pivots == ("eng",)
    with pytest.raises(ConfigError, match=r"job\.yaml:7: `pivots`: goes with `kind: interference` only"):
        load(tmp_path, JOB + pivots)


def test_a_shift_goes_with_interference_and_its_settings_with_a_shift(tmp_path: Path) -> None:
    interference = JOB + "kind: interference\n"
    both = load(tmp_path, interference + "compositions: [stack, shift]\nshift: {budgets: [100, 1]}\n")
    assert (both.compositions, both.shift.budgets) == (("stack", "shift"), (1, 100))
    told = r"job\.yaml:7: `compositions`: shift does not go with `kind: zero_shot`; allowed: alone, stack"
    with pytest.raises(ConfigError, match=told):
        load(tmp_path, JOB + "compositions: [stack, shift]\n")
    told = r"job\.yaml:8: `shift`: goes with `compositions: \[stack, shift\]` or `\[shift\]` only"
    with pytest.raises(ConfigError, match=told):
        load(tmp_path, interference + "shift: {budgets: [100]}\n")
    with pytest.raises(
        ConfigError,
        match=r"`compositions\.0`: Input should be 'alone', 'stack', 'merge', 'shift', 'multi' or 'fuse'; found",
    ):
        load(tmp_path, interference + "compositions: [blend]\n")


def test_without_language_adapters_a_task_adapter_stands_alone(tmp_path: Path) -> None:
    assert load(tmp_path, JOB).compositions == ("stack",)
    alone = load(tmp_path, JOB + "language_adapter: none\n")
    assert (alone.language_adapter, alone.compositions) == (None, ("alone",))
    both = load(tmp_path, JOB + "compositions: [alone, stack]\n")
    assert both.compositions == ("alone", "stack")
    assert both.language_adapter is not None
    with pytest.raises(ConfigError, match=r"job\.yaml:8: `compositions`: stack needs language adapters"):
        load(tmp_path, JOB + "language_adapter: none\ncompositions: [alone, stack]\n")
    with pytest.raises(ConfigError, match=r"job\.yaml:7: `language_adapter`: is empty; say `none`"):
        load(tmp_path, JOB + "language_adapter:\n")


@pytest.mark.parametrize(
    "wrong",
    [
        {"seeds": [0, 0]},
        {"seeds": []},
        {"seeds": [-1]},
        {"tasks": ["pos", "pos"]},
        {"tasks": []},
        {"sources": []},
        {"pivots": [], "kind": "interference"},
        {"kind": "other"},
        {"min_items": 0},
        {"gpus_per_worker": -1},
        {"language_adapter": {"steps": 0}},
        {"language_adapter": {"masked": 1}},
        {"task_adapter": {"learning_rate": 0}},
        {"evaluation": {"split": "train"}},
        {"kind": "interference", "compositions": []},
        {"kind": "interference", "compositions": ["shift", "shift"]},
        *(
            {"kind": "interference", "compositions": ["shift"], "shift": shift}
            for shift in ({"budgets": []}, {"budgets": [0]}, {"budgets": [1, 1]}, {"warm_up": -1}, {"reduction": 2})
        ),
    ],
    ids=str,
)
def test_values_out_of_range_are_refused(wrong: dict[str, Any]) -> None:
    Job.model_validate(VALUES)
    with pytest.raises(ValidationError):
        Job.model_validate(VALUES | wrong)


def test_unknown_knob_of_a_recipe_has_its_line(tmp_path: Path) -> None:
    told = r"job\.yaml:7: unknown key `task_adapter\.epoch`; did you mean `epochs`\?"
    with pytest.raises(ConfigError, match=told):
        load(tmp_path, JOB + "task_adapter: {epoch: 3}\n")
