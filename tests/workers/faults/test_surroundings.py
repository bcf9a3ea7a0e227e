"""A disk that is full, a store or a zoo out of reach: waited out, and nothing is recorded as failed."""

from __future__ import annotations

import resource
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from workers.driver import JobState
from workers.failures import JobInterruptedError

Make = Callable[..., Any]
AGAIN = "not the work's own fault: it is done again"
WAITS = "out of reach: it is tried again"


class Disk:
    """A disk that takes no file beyond a kibibyte while it is full: what this process writes fails alike."""

    def __init__(self) -> None:
        self._before = resource.getrlimit(resource.RLIMIT_FSIZE)

    def fill(self) -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1024, self._before[1]))

    def free(self) -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, self._before)


@pytest.fixture
def disk() -> Any:
    disk = Disk()
    yield disk
    disk.free()


class Mount:
    """A shared folder that goes away, with store and zoo in it, and comes back."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._away = folder, folder.with_name("away")

    def leave(self) -> None:
        self._folder.rename(self._away)

    def come_back(self) -> None:
        self._away.rename(self._folder)


def when(state: Callable[[JobState], bool], act: Callable[[], None]) -> Callable[[JobState], None]:
    """Watches a run and acts once, when it has come so far."""
    done = False

    def watch(now: JobState) -> None:
        nonlocal done
        if not done and state(now):
            done = True
            act()

    return watch


def training(state: JobState) -> bool:
    """One adapter is kept; the next is being trained."""
    return state.adapters[0] == 1


def measuring(state: JobState) -> bool:
    """All adapters are kept; the first column is being measured."""
    return state.adapters[0] == state.adapters[1] and state.cells[0] == 0


def test_a_disk_that_is_full_while_an_adapter_is_written(task: Make, log: Any, disk: Disk) -> None:
    job = task()
    log.on(AGAIN, disk.free)
    summary = job.run(watch=when(training, disk.fill))

    assert (summary.measured, summary.failed) == (10, 0)
    assert job.is_whole()
    assert log.events() == [AGAIN]
    assert log.entries[0]["what"] in ("language adapter qaa", "language adapter qab", "language adapter qac")
    assert "File too large" in log.entries[0]["error"]
    assert not list((Path(job.job.zoo) / "drafts").iterdir())


def test_a_disk_that_is_full_while_cells_are_written(task: Make, log: Any, disk: Disk) -> None:
    job = task()
    log.on(WAITS, disk.free)
    summary = job.run(watch=when(measuring, disk.fill))

    assert (summary.measured, summary.failed) == (10, 0)
    assert job.is_whole()
    assert log.events() == [WAITS]
    assert log.entries[0]["what"] == f"keeping 5 cells in {job.job.store}"


@pytest.mark.parametrize(("moment", "notices"), [(training, AGAIN), (measuring, AGAIN)], ids=["training", "measuring"])
def test_a_shared_folder_that_goes_away_for_a_while(
    task: Make, log: Any, tmp_path: Path, moment: Callable[[JobState], bool], notices: str
) -> None:
    job, mount = task(), Mount(tmp_path / "shared")
    log.on(notices, mount.come_back)
    summary = job.run(watch=when(moment, mount.leave))

    assert (summary.measured, summary.failed) == (10, 0)
    assert job.is_whole()
    assert set(log.events()) == {notices}
    assert "FileNotFoundError" in log.entries[0]["error"]


def test_a_store_that_goes_away_for_a_while(task: Make, log: Any, tmp_path: Path) -> None:
    job = task(store="shared/cells/store", zoo="shared/zoo")
    (tmp_path / "shared" / "cells").mkdir()
    mount = Mount(tmp_path / "shared" / "cells")
    log.on(WAITS, mount.come_back)
    summary = job.run(watch=when(measuring, mount.leave))

    assert (summary.measured, summary.failed) == (10, 0)
    assert job.is_whole()
    assert set(log.events()) == {WAITS}
    # The longest, which is therefore the first.
    assert log.entries[0]["what"] == "keeping corner column qac"


def test_an_outage_that_lasts_ends_the_job_which_goes_on_later(task: Make, log: Any, tmp_path: Path) -> None:
    job, mount = task(outage=2), Mount(tmp_path / "shared")
    with pytest.raises(JobInterruptedError, match=r"still failing after .* run the same command again"):
        job.run(watch=when(measuring, mount.leave))
    assert set(log.events()) == {AGAIN}
    mount.come_back()

    summary = job.run()
    assert (summary.trained, summary.reused, summary.measured, summary.failed) == (0, 7, 10, 0)
    assert job.is_whole()


def test_the_command_line_says_what_to_mend_and_exits_with_its_own_status(task: Make, tmp_path: Path) -> None:
    job, mount = task(outage=2), Mount(tmp_path / "shared")
    fill = job.start()
    fill.until(lambda: len(list(Path(job.job.zoo).glob("*/manifest.json"))) >= 1)
    mount.leave()
    status, out = fill.ended()
    assert (status, out) == (75, "")
    assert fill.says("still failing after"), fill.said
    assert fill.says("mend it and run the same command again; what is done is kept")
    mount.come_back()
    assert job.run().failed == 0
    assert job.is_whole()
