"""Of several runs one does a piece of work; what a run that is gone held is free again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest
import structlog

from adapters_zoo.blobs import FolderBlobs
from tests.clock import Clock
from workers.leases import Leases, Process

GRACE_PERIOD = 60.0
ELSEWHERE = replace(Process.this(), machine="another machine")


@pytest.fixture
def place(tmp_path: Path) -> FolderBlobs:
    return FolderBlobs(tmp_path / "claims")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def run(place: FolderBlobs, clock: Clock) -> Iterator[Callable[..., Leases]]:
    """Makes the leases of a run by name; those of another machine if its process is seen from nowhere else."""
    with ExitStack() as stack:

        def make(name: str, *, process: Process = ELSEWHERE, heartbeat: float = 3600) -> Leases:
            return stack.enter_context(
                Leases(place, name, process=process, heartbeat=heartbeat, grace_period=GRACE_PERIOD, clock=clock)
            )

        yield make


@pytest.fixture
def logs() -> Iterator[list[dict[str, object]]]:
    with structlog.testing.capture_logs() as captured:
        yield captured  # type: ignore[misc]


class TestTaking:
    def test_one_of_two_runs_obtains_a_lease(self, run: Callable[..., Leases]) -> None:
        one, other = run("one"), run("other")
        assert one.take("a", "adapter a")
        assert not other.take("a", "adapter a")
        assert one.holds("a")
        assert not other.holds("a")

    def test_a_lease_that_is_held_can_be_taken_again_by_its_holder(self, run: Callable[..., Leases]) -> None:
        one = run("one")
        assert one.take("a", "adapter a")
        assert one.take("a", "adapter a")

    def test_a_lease_given_back_is_free(self, run: Callable[..., Leases]) -> None:
        one, other = run("one"), run("other")
        one.take("a", "adapter a")
        one.release("a")
        assert other.take("a", "adapter a")
        assert not one.holds("a")

    def test_a_run_that_ends_gives_everything_back_and_leaves_nothing(
        self, place: FolderBlobs, run: Callable[..., Leases]
    ) -> None:
        with Leases(place, "one") as one:
            assert all(one.take(name, name) for name in ("a", "b"))
        assert run("other").take("a", "adapter a")
        assert place.names("b") == []
        assert place.names("pulses/one") == []

    def test_of_many_runs_at_once_exactly_one_obtains_each_lease(self, run: Callable[..., Leases]) -> None:
        runs = [run(str(number)) for number in range(8)]
        names = [f"name-{number}" for number in range(20)]
        taken: list[str] = []
        start = threading.Barrier(len(runs))

        def grab(leases: Leases) -> None:
            start.wait()
            taken.extend(name for name in names if leases.take(name, name))

        threads = [threading.Thread(target=grab, args=(leases,)) for leases in runs]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(taken) == sorted(names)


class TestTakingOver:
    def test_a_heartbeat_that_stands_still_for_too_long_is_a_run_that_is_gone(
        self, run: Callable[..., Leases], clock: Clock, logs: list[dict[str, object]]
    ) -> None:
        one, other = run("one"), run("other")
        one.take("a", "adapter a")
        assert not other.take("a", "adapter a")
        clock.now = GRACE_PERIOD
        assert not other.take("a", "adapter a")
        clock.now = GRACE_PERIOD + 1
        assert other.take("a", "adapter a")
        assert not one.holds("a")
        assert [(entry["event"], entry["what"], entry["job"]) for entry in logs] == [
            ("took over from a job that is gone", "adapter a", "one")
        ]

    def test_a_heartbeat_that_goes_on_is_a_run_that_lives_however_long(
        self, run: Callable[..., Leases], clock: Clock, place: FolderBlobs
    ) -> None:
        one, other = run("one"), run("other")
        one.take("a", "adapter a")
        for beat in range(5):
            place.write("pulses/one", f"beat {beat}".encode())
            assert not other.take("a", "adapter a")
            clock.now += GRACE_PERIOD

    def test_heartbeats_come_by_themselves(self, run: Callable[..., Leases], place: FolderBlobs) -> None:
        run("one", heartbeat=0.001).take("a", "adapter a")
        while place.read("pulses/one") in (None, b"0"):
            pass  # The test's time limit is the limit.

    def test_a_standstill_is_counted_from_when_it_was_first_seen(
        self, run: Callable[..., Leases], clock: Clock
    ) -> None:
        one, other = run("one"), run("other")
        one.take("a", "adapter a")
        clock.now = 1e6  # Nobody looked till now.
        assert not other.take("a", "adapter a")

    def test_a_process_that_ended_on_this_machine_is_gone_at_once(
        self, tmp_path: Path, place: FolderBlobs, run: Callable[..., Leases], logs: list[dict[str, object]]
    ) -> None:
        holder = subprocess.Popen(
            [sys.executable, "-c", _HOLD, str(tmp_path / "claims")], stdout=subprocess.PIPE, text=True, cwd=_ROOT
        )
        assert holder.stdout is not None
        with holder, holder.stdout:
            assert holder.stdout.readline() == "True\n"
            other = run("other", process=Process.this())
            assert not other.take("a", "adapter a")
            os.kill(holder.pid, signal.SIGKILL)
            while not Process(Process.this().machine, holder.pid, _started(place)).ended():
                pass  # Its exit is under way.
            assert other.take("a", "adapter a")

    def test_a_run_whose_heartbeat_is_no_longer_there_is_gone(
        self, run: Callable[..., Leases], place: FolderBlobs
    ) -> None:
        one, other = run("one"), run("other")
        one.take("a", "adapter a")
        place.delete("pulses/one")
        assert other.take("a", "adapter a")

    def test_of_many_that_see_a_run_gone_exactly_one_takes_over(
        self, run: Callable[..., Leases], clock: Clock, logs: list[dict[str, object]]
    ) -> None:
        run("gone").take("a", "adapter a")
        runs = [run(str(number)) for number in range(8)]
        assert not any(leases.take("a", "adapter a") for leases in runs)
        clock.now = GRACE_PERIOD + 1
        taken: list[bool] = []
        start = threading.Barrier(len(runs))

        def grab(leases: Leases) -> None:
            start.wait()
            taken.append(leases.take("a", "adapter a"))

        threads = [threading.Thread(target=grab, args=(leases,)) for leases in runs]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sum(taken) == 1

    def test_one_that_was_overtaken_gives_nothing_back_but_its_own(
        self, run: Callable[..., Leases], clock: Clock, logs: list[dict[str, object]]
    ) -> None:
        one, other = run("one"), run("other")
        one.take("a", "adapter a")
        other.take("a", "adapter a")
        clock.now = GRACE_PERIOD + 1
        assert other.take("a", "adapter a")
        one.release("a")
        assert other.holds("a")
        assert not run("third").take("a", "adapter a")

    def test_what_was_taken_over_and_given_back_is_free(
        self, run: Callable[..., Leases], clock: Clock, logs: list[dict[str, object]], place: FolderBlobs
    ) -> None:
        one, other = run("one"), run("other")
        one.take("a", "adapter a")
        other.take("a", "adapter a")
        clock.now = GRACE_PERIOD + 1
        other.take("a", "adapter a")
        other.release("a")
        assert place.names("a.") == []
        assert run("third").take("a", "adapter a")

    def test_a_lease_cut_short_in_the_writing_is_waited_for_and_then_taken(
        self, run: Callable[..., Leases], clock: Clock, place: FolderBlobs, logs: list[dict[str, object]]
    ) -> None:
        other = run("other")
        other.take("b", "adapter b")
        place.create("a.0", b"")
        assert not other.take("a", "adapter a")
        clock.now = GRACE_PERIOD + 1
        assert other.take("a", "adapter a")


class TestOutOfReach:
    def test_a_place_whose_folder_is_gone_says_so_and_is_not_made_anew(self, tmp_path: Path) -> None:
        with Leases(FolderBlobs(tmp_path / "store" / "_claims"), "one") as leases, pytest.raises(FileNotFoundError):
            leases.take("a", "adapter a")
        assert not (tmp_path / "store").exists()

    def test_what_could_not_be_given_back_is_given_back_at_the_next_heartbeat(
        self, tmp_path: Path, run: Callable[..., Leases]
    ) -> None:
        (tmp_path / "store").mkdir()
        place = FolderBlobs(tmp_path / "store" / "_claims")
        with Leases(place, "one", heartbeat=0.05) as leases:
            leases.take("a", "adapter a")
            (tmp_path / "store").rename(tmp_path / "away")
            (tmp_path / "store").write_text("no folder")  # So that a delete fails, rather than finding nothing to do.
            leases.release("a")
            (tmp_path / "store").unlink()
            (tmp_path / "away").rename(tmp_path / "store")
            while place.names("a."):
                pass  # The test's time limit is the limit.
            with Leases(place, "two") as other:
                assert other.take("a", "adapter a")


def _started(place: FolderBlobs) -> str:
    content = place.read("a.0")
    assert content is not None
    return str(json.loads(content)["process"]["started"])


_ROOT = Path(__file__).parent.parent.parent
_HOLD = """
import sys, time
from pathlib import Path
from adapters_zoo.blobs import FolderBlobs
from workers.leases import Leases
print(Leases(FolderBlobs(Path(sys.argv[1])), "one").take("a", "adapter a"), flush=True)
time.sleep(600)
"""
