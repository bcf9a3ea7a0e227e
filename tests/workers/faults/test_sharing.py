"""Two jobs that overlap, at once on one store and zoo: shared adapters are trained once, shared cells measured once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.cluster
Make = Callable[..., Any]
STEPS = {"steps": 60, "tokens": 512, "length": 32}


def two_jobs(task: Make) -> tuple[Any, Any]:
    """Both have source qab and target qac; each has a source and a target of its own."""
    one = task("one", sources=["qaa", "qab"], targets=["qaa", "qac"], language_adapter=STEPS)
    other = task("other", sources=["qab", "qad"], targets=["qac", "qad"], language_adapter=STEPS)
    return one, other


def adapters(*tasks: Any) -> set[str]:
    return {key for task in tasks for key in [*task.plan().languages, *task.plan().tasks]}


def cells(*tasks: Any) -> list[str]:
    return sorted({cell.cell_id for task in tasks for cell in task.plan().cells()})


def test_two_jobs_at_once_do_what_they_share_once(task: Make) -> None:
    one, other = two_jobs(task)
    fills = [one.start(), other.start()]
    summaries = [fill.summary() for fill in fills]

    assert sum(summary["trained"] for summary in summaries) == len(adapters(one, other))
    assert sum(summary["measured"] for summary in summaries) == len(cells(one, other))
    assert one.rows() == cells(one, other)
    assert all(summary["failed"] == 0 and summary["measured"] + summary["found"] == 10 for summary in summaries)
    assert_nothing_is_held(one)


def test_one_of_two_jobs_is_killed_and_the_other_ends_without_it(task: Make) -> None:
    one, other = two_jobs(task)
    fill, killed = one.start(), other.start()
    claims = Path(one.job.zoo) / "claims"
    killed.until(lambda: len(list(claims.glob("*.0"))) == 2)  # Both are at work.
    killed.kill()
    summary = fill.summary()
    assert (summary["failed"], summary["measured"] + summary["found"]) == (0, 10)

    rest = other.run()
    assert (rest.failed, rest.measured + rest.found) == (0, 10)
    assert one.rows() == cells(one, other)
    assert_nothing_is_held(one)


def assert_nothing_is_held(task: Any) -> None:
    """No claim is left, of whoever ended or was killed."""
    assert not list((Path(task.job.zoo) / "claims").glob("*.*"))
    assert not list((Path(task.job.store) / "_claims").glob("*.*"))
