"""Where adapters lie: the same contract for a folder and for a bucket over HTTP, with copies on this machine."""

from __future__ import annotations

import contextlib
import io
import shutil
import threading
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from adapters_zoo.adapter_store import AdapterFileError, AdapterStore, open_adapter_store, write_manifest
from adapters_zoo.blobs import open_blobs

KEY = "0123456789abcdef" * 2

Machine = Callable[[], AdapterStore]


@pytest.fixture
def uri(bucket: str) -> str:
    return f"{bucket}/jobs/zoo"


@pytest.fixture(params=["folder", "bucket"])
def machine(request: pytest.FixtureRequest, tmp_path: Path) -> Machine:
    """Another machine's view of one place with each call: nothing but the place's address is shared."""
    place = str(tmp_path / "zoo") if request.param == "folder" else request.getfixturevalue("uri")
    caches = iter(tmp_path / "caches" / str(number) for number in range(100))
    return lambda: open_adapter_store(place, next(caches))


def put(store: AdapterStore, weights: bytes = b"weights", key: str = KEY) -> None:
    with store.drafting() as draft:
        (draft / "adapter").mkdir()
        (draft / "adapter" / "adapter.safetensors").write_bytes(weights)
        (draft / "head.safetensors").write_bytes(b"head")
        write_manifest(draft, {"key": key})
        store.keep(key, draft)


def weights_in(store: AdapterStore, key: str = KEY) -> bytes:
    return (store.open(key) / "adapter" / "adapter.safetensors").read_bytes()


class TestEither:
    def test_what_one_machine_put_another_finds(self, machine: Machine) -> None:
        here, there = machine(), machine()
        assert (there.keys(), there.holds(KEY)) == (set(), False)
        put(here)
        assert (there.keys(), there.holds(KEY)) == ({KEY}, True)
        assert weights_in(there) == weights_in(here) == b"weights"
        assert (there.open(KEY) / "head.safetensors").read_bytes() == b"head"

    def test_an_absent_adapter_is_an_error_that_names_it_and_the_place(self, machine: Machine) -> None:
        with pytest.raises(AdapterFileError, match=f"no adapter {KEY} in .*zoo; run the job again to train it"):
            machine().open(KEY)

    def test_the_first_of_several_writers_stays(self, machine: Machine) -> None:
        many = 6
        stores, together = [machine() for _ in range(many)], threading.Barrier(many)

        def write(number: int) -> None:
            together.wait()
            put(stores[number], b"%d" % number)

        with ThreadPoolExecutor(many) as threads:
            list(threads.map(write, range(many)))
        (content,) = {weights_in(store) for store in [*stores, machine()]}
        assert content in {b"%d" % number for number in range(many)}
        put(machine(), b"late")
        assert weights_in(machine()) == content

    def test_nothing_is_left_of_drafts(self, machine: Machine, tmp_path: Path) -> None:
        store = machine()
        put(store)
        put(store, b"second")
        with contextlib.suppress(RuntimeError), store.drafting() as draft:
            (draft / "half").write_bytes(b"")
            raise RuntimeError("the disk is full")
        assert [path for folder in tmp_path.rglob("drafts") for path in folder.iterdir()] == []

    def test_an_adapter_under_the_key_of_another_is_refused(self, machine: Machine) -> None:
        store = machine()
        with store.drafting() as draft:
            write_manifest(draft, {"key": "f" * 32})
            store.keep(KEY, draft)
        other = machine()
        with capture_logs(), pytest.raises(AdapterFileError, match=f"its manifest is of adapter {'f' * 32}"):
            other.open(KEY)
        assert other.keys() == set()


class TestBucket:
    def test_an_adapter_is_fetched_once_a_machine(self, uri: str, tmp_path: Path) -> None:
        put(open_adapter_store(uri, tmp_path / "one"))
        other = open_adapter_store(uri, tmp_path / "other")
        assert weights_in(other) == b"weights"
        open_blobs(uri).delete(f"{KEY}.zip")
        assert weights_in(other) == b"weights"
        # But what nobody else can open is not there.
        assert not other.holds(KEY)
        put(other, b"trained again")
        assert weights_in(other) == b"trained again"

    def test_a_damaged_copy_is_fetched_again(self, uri: str, tmp_path: Path) -> None:
        store = open_adapter_store(uri, tmp_path)
        put(store)
        (store.open(KEY) / "head.safetensors").write_bytes(b"damage")
        assert (store.open(KEY) / "head.safetensors").read_bytes() == b"head"
        shutil.rmtree(tmp_path)
        assert weights_in(store) == b"weights"

    @settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
    @given(data=st.data())
    def test_an_altered_object_is_set_aside_or_as_good_as_ever(
        self, uri: str, tmp_path: Path, data: st.DataObject
    ) -> None:
        storage = open_blobs(uri)
        storage.delete(f"{KEY}.zip")
        put(open_adapter_store(uri, tmp_path / "one"))
        whole = storage.read(f"{KEY}.zip") or b""
        place = data.draw(st.integers(0, len(whole) - 1))
        cut = data.draw(st.booleans())
        altered = whole[:place] if cut else whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :]
        storage.write(f"{KEY}.zip", altered)
        shutil.rmtree(tmp_path / "other", ignore_errors=True)
        store = open_adapter_store(uri, tmp_path / "other")

        with capture_logs() as logs:
            there = store.holds(KEY)

        if there:  # Dates and the like are no part of an adapter.
            assert weights_in(store) == b"weights"
            return
        assert not store.keys()
        (line,) = logs
        kept = str(line["kept"]).removeprefix(f"{uri}/")
        assert kept.startswith(f"set-aside/{KEY}")
        assert storage.read(kept) == altered

    def test_a_file_that_leads_out_of_its_folder_stays_inside(self, uri: str, tmp_path: Path) -> None:
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            archive.writestr("../../../escaped", b"")
        open_blobs(uri).write(f"{KEY}.zip", packed.getvalue())
        with capture_logs(), pytest.raises(AdapterFileError, match="no readable manifest"):
            open_adapter_store(uri, tmp_path / "deep" / "cache").open(KEY)
        assert not list(tmp_path.rglob("escaped"))

    def test_copies_are_kept_in_the_users_cache_folder(
        self, uri: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
        put(open_adapter_store(uri))
        assert open_adapter_store(uri).open(KEY).is_relative_to(tmp_path / "sprachbund")
        # Another zoo's adapters are not taken for this one's.
        with pytest.raises(AdapterFileError):
            open_adapter_store(f"{uri}-2").open(KEY)
