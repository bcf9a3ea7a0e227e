"""The command line as a program: its commands, exit statuses, and what it says on which stream."""

from __future__ import annotations

import importlib.metadata
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer import Context
from typer.main import get_command

from sprachbund.cli import COMMANDS, EXTRAS, app

ROOT = Path(__file__).parent.parent.parent
ABSENT = """\
# Finds nothing of the packages that are to be absent, and everything else as before.
import sys

class Without:
    def __init__(self, finder):
        self.finder = finder
    def __getattr__(self, name):
        return getattr(self.finder, name)
    def find_spec(self, name, path=None, target=None):
        return None if name.partition(".")[0] in {absent} else self.finder.find_spec(name, path, target)

sys.meta_path[:] = [Without(finder) for finder in sys.meta_path if hasattr(finder, "find_spec")]
"""
RUN = "from sprachbund.cli import main; main()"
TELL = "import atexit, sys; atexit.register(lambda: print(*sys.modules, file=sys.stderr))"
"""Says at the end what was imported."""
HEAVY = {"torch", "ray", "transformers", "adapters", "scipy", "sklearn", "pandas", "altair", "lightgbm"}


def sprachbund(*arguments: str, absent: tuple[str, ...] = (), before: str = "") -> subprocess.CompletedProcess[str]:
    """Run the program in a process of its own, in which the ``absent`` packages are not installed."""
    code = "\n".join([ABSENT.format(absent=set(absent)) if absent else "", before, RUN])
    environment = {**os.environ, "COLUMNS": "100", "OMP_NUM_THREADS": "1", "NO_COLOR": "1"}
    return subprocess.run(
        [sys.executable, "-c", code, *arguments], cwd=ROOT, capture_output=True, text=True, env=environment, check=False
    )


@pytest.fixture
def job(tmp_path: Path) -> Path:
    path = tmp_path / "job.yaml"
    path.write_text(
        "store: store\nencoder: {name: encoder}\ncorpora: data\ntasks: [pos]\nsources: [eng]\ntargets: [yor]\n",
        encoding="utf-8",
    )
    return path


def one_line(result: subprocess.CompletedProcess[str]) -> str:
    """The error of a program that failed as it should: one line on standard error, nothing else anywhere."""
    assert result.returncode == 1, result.stderr
    assert result.stdout == ""
    assert result.stderr.startswith("error: ")
    assert result.stderr.count("\n") == 1
    return result.stderr


class TestHelp:
    def test_every_command_is_listed(self) -> None:
        result = sprachbund("--help")
        assert result.returncode == 0
        listed = {words[1] for line in result.stdout.splitlines() if len(words := line.split()) > 1 and words[0] == "│"}
        assert listed >= COMMANDS.keys()

    @pytest.mark.parametrize("name", COMMANDS)
    def test_the_list_says_of_a_command_what_its_own_help_begins_with(self, name: str) -> None:
        group = get_command(app)
        _, command, _ = group.resolve_command(Context(group), [name])
        assert command.help.partition("\n")[0] == group.commands[name].help

    @pytest.mark.parametrize(
        "arguments",
        [("--help",), ("matrices", "--help"), ("plan", "--help"), ("fill", "no.yaml"), ("corpora", "--help")],
        ids=" ".join,
    )
    def test_nobody_waits_for_what_only_other_commands_need(self, arguments: tuple[str, ...]) -> None:
        *_, imported = sprachbund(*arguments, before=TELL).stderr.splitlines()
        assert "sprachbund.cli" in imported.split()
        assert not HEAVY & set(imported.split())

    def test_the_installed_program_is_this_one(self) -> None:
        (script,) = importlib.metadata.entry_points(group="console_scripts", name="sprachbund")
        assert script.value == "sprachbund.cli:main"


class TestErrors:
    def test_an_unknown_key_is_named_with_its_line_and_the_nearest(self, job: Path) -> None:
        job.write_text(job.read_text(encoding="utf-8") + "seed: [1]\n", encoding="utf-8")
        said = one_line(sprachbund("plan", str(job)))
        assert f"{job}:7: unknown key `seed`; did you mean `seeds`?" in said

    def test_a_file_that_is_not_yaml_is_still_one_line(self, job: Path) -> None:
        job.write_text("store: [\nencoder: }\n", encoding="utf-8")
        assert f"{job}:2: not YAML" in one_line(sprachbund("fill", str(job)))

    def test_an_unknown_language_names_the_nearest(self, job: Path) -> None:
        job.write_text(job.read_text(encoding="utf-8").replace("yor", "Yorbua"), encoding="utf-8")
        said = one_line(sprachbund("plan", str(job)))
        assert "'Yorbua'" in said
        assert "yor (Yoruba)" in said
        assert f"{job}:6:" in said

    def test_a_missing_store_says_how_to_make_one(self, tmp_path: Path) -> None:
        said = one_line(sprachbund("matrices", "--store", str(tmp_path / "nowhere")))
        assert "holds no store; make one with `sprachbund fill JOB.yaml`" in said

    def test_a_variable_of_the_service_that_cannot_be_read_is_named(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("SPRACHBUND_REFRESH_SECONDS", "abc")
        result = sprachbund("serve")
        assert result.returncode == 2
        assert "SPRACHBUND_REFRESH_SECONDS" in result.stderr
        assert "Traceback" not in result.stderr

    def test_missing_corpora_are_named(self, job: Path) -> None:
        assert "data: no such folder" in one_line(sprachbund("plan", str(job)))

    def test_what_the_file_system_refuses_is_no_defect(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("", encoding="utf-8")
        result = sprachbund("demo", "--out", str(tmp_path / "file"), "--json")
        assert (result.returncode, result.stdout) == (1, "")
        assert result.stderr.splitlines()[-1].startswith("error: [Errno")


class TestUsage:
    @pytest.mark.parametrize(
        "arguments",
        [("fill", "job.yaml", "--jsn"), ("refill",)],
        ids=" ".join,
    )
    def test_a_command_that_was_not_understood_exits_with_two(self, arguments: tuple[str, ...]) -> None:
        result = sprachbund(*arguments)
        assert result.returncode == 2
        assert "Usage: " in result.stderr
        assert result.stdout == ""


class TestWithoutTraining:
    WORKERS = ("torch", "ray", "adapters", "transformers")

    @pytest.mark.parametrize("command", [("matrices", "--json"), ("serve", "--help")])
    def test_commands_that_answer_work(self, tmp_path: Path, command: tuple[str, ...]) -> None:
        from matrices.store import Store

        Store.open(tmp_path / "store", create=True)
        store = ["--store", str(tmp_path / "store")] if "--json" in command else []
        result = sprachbund(*command, *store, absent=self.WORKERS)
        assert (result.returncode, result.stderr) == (0, "")
        if "--json" in command:
            assert json.loads(result.stdout) == {"matrices": []}

    @pytest.mark.parametrize("command", [("fill", "job.yaml", "--json"), ("demo",)])
    def test_commands_that_train_name_the_extra(self, command: tuple[str, ...]) -> None:
        assert "pip install 'sprachbund[workers]'" in one_line(sprachbund(*command, absent=self.WORKERS))

    def test_the_help_names_the_extra(self) -> None:
        result = sprachbund("--help", absent=self.WORKERS)
        (workers,) = (extra for extra in EXTRAS if extra.name == "workers")
        assert result.stdout.count("sprachbund[workers]") == len(workers.commands)

    @pytest.mark.parametrize("command", [("serve",), ("keys", "make", "mine")])
    def test_serving_without_its_extra_names_it(self, command: tuple[str, ...]) -> None:
        assert "pip install 'sprachbund[service]'" in one_line(sprachbund(*command, absent=("fastapi", "uvicorn")))
