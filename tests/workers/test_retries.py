"""What is tried again, how soon, and when a job gives up."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import structlog

from tests.clock import Clock
from workers.failures import Backoff, Failure, JobInterruptedError, Retries, persist

FULL = Failure("surroundings", "OSError: [Errno 28] No space left on device")
DEAD = Failure("death", "its worker died")


@pytest.fixture
def logs() -> Iterator[list[dict[str, object]]]:
    with structlog.testing.capture_logs() as captured:
        yield captured  # type: ignore[misc]


class TestBackoff:
    def test_waits_double_up_to_the_longest(self) -> None:
        backoff = Backoff(outage=900, first=2, longest=10)
        for attempt, most in ((1, 2), (2, 4), (3, 8), (4, 10), (50, 10)):
            assert most / 2 <= backoff.delay(attempt, "a") <= most

    def test_units_that_fail_together_do_not_return_together_and_a_run_repeats(self) -> None:
        backoff = Backoff(outage=900)
        delays = [backoff.delay(1, f"unit {number}") for number in range(20)]
        assert len(set(delays)) == 20
        assert delays == [backoff.delay(1, f"unit {number}") for number in range(20)]


@pytest.mark.usefixtures("logs")
class TestRetries:
    @pytest.mark.parametrize("cause", ["work", "time"])
    def test_what_would_fail_again_is_final(self, cause: str) -> None:
        assert Retries(Backoff(900)).after("a", Failure(cause, "wrong")) is None  # type: ignore[arg-type]

    def test_surroundings_are_waited_for_until_an_outage_is_over(self, logs: list[dict[str, object]]) -> None:
        clock = Clock()
        retries = Retries(Backoff(outage=100), clock)

        def fail_on() -> None:
            while (delay := retries.after("a", FULL)) is not None:
                clock.now += delay

        with pytest.raises(JobInterruptedError, match=r"No space left on device.*run the same command again"):
            fail_on()
        assert 40 < clock.now <= 100
        assert {entry["event"] for entry in logs} == {"not the work's own fault: it is done again"}

    def test_a_success_ends_an_outage(self) -> None:
        clock = Clock()
        retries = Retries(Backoff(outage=100), clock)
        assert retries.after("a", FULL) is not None
        retries.succeeded("a")
        clock.now = 1000
        assert retries.after("a", FULL) is not None

    @pytest.mark.parametrize("cause", ["death", "memory"])
    def test_a_unit_is_to_blame_for_the_third_worker_it_takes_down(self, cause: str) -> None:
        retries, failure = Retries(Backoff(900)), Failure(cause, "gone")  # type: ignore[arg-type]
        assert [retries.after("a", failure) is None for _ in range(3)] == [False, False, True]

    def test_three_units_to_blame_in_a_row_mean_that_no_work_can_be_done(self) -> None:
        retries = Retries(Backoff(900))
        for unit in ("a", "b"):
            assert [retries.after(unit, DEAD) is None for _ in range(3)] == [False, False, True]
        retries.after("c", DEAD)
        retries.after("c", DEAD)
        with pytest.raises(JobInterruptedError, match="Memory may be short"):
            retries.after("c", DEAD)

    def test_units_to_blame_with_successes_between_do_not_end_the_job(self) -> None:
        retries = Retries(Backoff(900))
        for unit in "abcdef":
            assert [retries.after(unit, DEAD) is None for _ in range(3)] == [False, False, True]
            retries.succeeded("another")


class TestPersisting:
    def test_an_error_that_passes_is_waited_out(self, logs: list[dict[str, object]]) -> None:
        left = [OSError("one"), OSError("two")]

        def act() -> None:
            if left:
                raise left.pop(0)

        persist(Backoff(outage=9, first=0.001), "keeping cells", act, lambda error: isinstance(error, OSError))
        assert [(entry["event"], entry["error"]) for entry in logs] == [
            ("out of reach: it is tried again", "OSError: one"),
            ("out of reach: it is tried again", "OSError: two"),
        ]

    def test_another_error_is_raised_at_once(self, logs: list[dict[str, object]]) -> None:
        def act() -> None:
            raise ValueError("wrong")

        with pytest.raises(ValueError, match="wrong"):
            persist(Backoff(outage=9), "keeping cells", act, lambda error: isinstance(error, OSError))
        assert logs == []

    def test_an_error_that_stays_interrupts_the_job(self, logs: list[dict[str, object]]) -> None:
        def act() -> None:
            raise OSError("gone")

        with pytest.raises(JobInterruptedError, match=r"keeping cells: still failing.*OSError: gone"):
            persist(Backoff(outage=0.05, first=0.01), "keeping cells", act, lambda error: True)
        assert logs
