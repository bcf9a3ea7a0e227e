"""A driver's process that is lost is started again; what it says, returns or raises arrives as if it were called."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
import structlog

from workers.cluster import ClusterError
from workers.corpora.types import CorpusError
from workers.failures import JobInterruptedError
from workers.supervisor import DriverError, supervised

Tell = Callable[[int], None]
ADDRESS = "10.0.0.1:6379"
_ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def logs() -> Iterator[list[dict[str, object]]]:
    with structlog.testing.capture_logs() as captured:
        yield captured  # type: ignore[misc]


def count(tell: Tell) -> str:
    for number in (1, 2):
        tell(number)
    return f"from another process: {os.getpid() != os.getppid()}"


def refuse(tell: Tell) -> str:
    raise CorpusError("a.txt", 3, "is not UTF-8")


class AwkwardError(ValueError):
    """Cannot be made again from what it holds."""

    def __init__(self, one: int, two: int) -> None:
        super().__init__(f"{one} and {two}")


def refuse_awkwardly(tell: Tell) -> str:
    raise AwkwardError(1, 2)


def lose_the_cluster(marks: Path, tell: Tell) -> str:
    """Dies as Ray makes a driver die, is refused while the head is away, and succeeds when it is back."""
    number = len(list(marks.iterdir()))
    (marks / str(number)).touch()
    if number == 0:
        tell(1)
        os.kill(os.getpid(), signal.SIGKILL)
    if number == 1:
        raise ClusterError("no Ray cluster answers")
    return "done"


def die(tell: Tell) -> str:
    os.kill(os.getpid(), signal.SIGKILL)
    return "never"


def die_after_news(tell: Tell) -> str:
    tell(1)
    return die(tell)


def never_reach(tell: Tell) -> str:
    raise ClusterError("no Ray cluster answers")


def test_news_and_result_come_from_another_process() -> None:
    news: list[int] = []
    assert supervised(count, ADDRESS, 60, news.append) == "from another process: True"
    assert news == [1, 2]


def test_an_error_arrives_as_it_was_raised() -> None:
    with pytest.raises(CorpusError, match=r"a\.txt:3: is not UTF-8"):
        supervised(refuse, ADDRESS, 60, lambda one: None)


def test_an_error_that_cannot_be_handed_on_arrives_in_words() -> None:
    with pytest.raises(DriverError, match="AwkwardError: 1 and 2"):
        supervised(refuse_awkwardly, ADDRESS, 60, lambda one: None)


def test_a_cluster_that_was_lost_is_waited_for(tmp_path: Path, logs: list[dict[str, object]]) -> None:
    assert supervised(partial(lose_the_cluster, tmp_path), ADDRESS, 60, lambda one: None) == "done"
    assert [(entry["event"], entry["error"]) for entry in logs] == [
        ("the cluster was lost; the job goes on when it is back", "the driver's process ended with status -9"),
        ("the cluster was lost; the job goes on when it is back", "no Ray cluster answers"),
    ]


def test_a_cluster_that_never_answered_is_an_error_at_once(logs: list[dict[str, object]]) -> None:
    with pytest.raises(ClusterError, match="no Ray cluster answers"):
        supervised(never_reach, ADDRESS, 60, lambda one: None)
    assert logs == []


def test_a_driver_that_dies_before_it_ran_is_not_started_again(logs: list[dict[str, object]]) -> None:
    with pytest.raises(JobInterruptedError, match="ended with status -9"):
        supervised(die, ADDRESS, 60, lambda one: None)
    assert logs == []


def test_a_driver_that_dies_again_and_again_with_nothing_new_ends_the_job(logs: list[dict[str, object]]) -> None:
    with pytest.raises(JobInterruptedError, match=r"has not been of use for .* run the same command again"):
        supervised(die_after_news, ADDRESS, 2, lambda one: None)
    assert logs


def test_a_process_whose_supervisor_is_killed_ends_too() -> None:
    with subprocess.Popen([sys.executable, "-c", _WAIT], stdout=subprocess.PIPE, text=True, cwd=_ROOT) as supervisor:
        assert supervisor.stdout is not None
        driver = int(supervisor.stdout.readline())
        supervisor.kill()
        while _lives(driver):
            pass  # The test's time limit is the limit.


def _lives(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in "ZX"


def wait(tell: Tell) -> str:
    tell(os.getpid())
    signal.pause()
    return "never"


_WAIT = """
from tests.workers.test_supervisor import wait
from workers.supervisor import supervised
supervised(wait, "nowhere", 60, lambda process: print(process, flush=True))
"""
