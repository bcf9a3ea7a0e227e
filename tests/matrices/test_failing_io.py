"""Every call to the system that a store makes fails once, as on a disk that breaks or is full: nothing may be lost,
doubled or wrong after it, and what a person reads is one line."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

COMPILER = shutil.which("cc")

pytestmark = pytest.mark.skipif(
    COMPILER is None or sys.platform != "linux", reason="no C compiler on this Linux machine"
)

SWEEP = r"""
import ctypes, errno, json, os, shutil, sys
from datetime import UTC, datetime
from pathlib import Path
from matrices.cells import Cell
from matrices.snapshot_of_store import read_snapshot
from matrices.store import Store

io, root, operation = ctypes.CDLL(None), Path(sys.argv[1]), sys.argv[2]

def cells(begin, count):
    return [Cell(
        matrix="m", encoder="e", kind="zero_shot", composition="stack", task="pos", metric="accuracy", source="deu",
        target="yor", selection="last", seed=seed, score=0.5, n_items=2, correct=(1, 0), total=(1, 1), status="ok",
        error=None, seconds=0.0, device="cpu", created_at=datetime(2026, 1, 1, tzinfo=UTC), cell_id=f"id{seed}",
    ) for seed in range(begin, begin + count)]

def made(place):
    store = Store.open(place, create=True)
    for commit in range(2):
        store.append(cells(2 * commit, 2))

def create(place):
    Store.open(place, create=True)

def append(place):
    Store(place).append(cells(4, 2))

def read(place):
    rows = read_snapshot(Store(place)).cells("m")
    assert rows["seed"].to_pylist() == list(range(4)), rows["seed"].to_pylist()

def compact(place):
    Store(place).compact()

def items(place):
    from matrices.items import Items
    Store(place).keep_items({"m": {"yor": Items(("a", "b"))}})

work = {"create": create, "append": append, "read": read, "compact": compact, "items": items}[operation]
pattern = root / "pattern"
if operation != "create":
    made(pattern)
calls, failed, nth, messages = 0, 0, 0, set()
while True:
    nth += 1
    reached = False
    # Of what only reads, or is done again anyway, one error a call will do.
    both = operation in ("create", "append")
    for code in (errno.EIO, errno.ENOSPC) if both else (errno.EIO if nth % 2 else errno.ENOSPC,):
        place = root / f"{operation}-{nth}-{code}"
        if operation != "create":
            shutil.copytree(pattern, place)
        told = None
        io.arm(str(place).encode(), nth, code)
        try:
            work(place)
        except Exception as error:
            told = error
        finally:
            seen = io.disarm()
        reached = reached or seen >= nth
        calls += 1
        if told is not None:
            failed += 1
            text = str(told)
            assert type(told).__module__.startswith("matrices."), (nth, code, repr(told))
            assert "\n" not in text and "\x1b" not in text and str(place) in text, (nth, code, text)
            messages.add(type(told).__name__)
        # Whoever is told that it failed gives the same command again.
        if operation == "create":
            create(place)
            assert Store(place).measured_ids() == set()
        elif operation == "append":
            there = Store(place).measured_ids()
            assert there in ({f"id{n}" for n in range(4)}, {f"id{n}" for n in range(6)}), there
            assert told is not None or len(there) == 6, (nth, code)
            missing = [cell for cell in cells(4, 2) if cell.cell_id not in there]
            Store(place).append(missing)
            rows = Store(place).cells("m")
            assert rows["seed"].to_pylist() == list(range(6)), (nth, code, rows["seed"].to_pylist())
        else:
            work(place)
            read(place)
        shutil.rmtree(place, ignore_errors=True)
    if not reached:
        break
print(json.dumps({"calls": calls, "failed": failed, "nth": nth, "messages": sorted(messages)}))
"""


@pytest.fixture(scope="module")
def shim(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The library that makes calls fail, compiled."""
    assert COMPILER is not None
    out = tmp_path_factory.mktemp("shim") / "failing_io.so"
    source = Path(__file__).with_name("failing_io.c")
    subprocess.run([COMPILER, "-shared", "-fPIC", "-O1", "-o", out, source, "-ldl"], check=True)
    return out


@pytest.mark.parametrize("operation", ["create", "append", "read", "compact", "items"])
def test_whichever_call_fails_nothing_is_lost_doubled_or_wrong(operation: str, shim: Path, tmp_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", SWEEP, str(tmp_path), operation],
        env={**os.environ, "LD_PRELOAD": str(shim), "RUST_BACKTRACE": "0"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert ran.returncode == 0, ran.stderr[-3000:]
    found = json.loads(ran.stdout.splitlines()[-1])
    # A sweep that reaches no call, or that no call of ever failed, would show nothing.
    assert found["nth"] > 4
    assert found["failed"] > 2
