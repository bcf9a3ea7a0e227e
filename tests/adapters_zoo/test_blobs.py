"""Files that several processes share, in a folder and in a bucket over HTTP: one contract, one result."""

from __future__ import annotations

import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from adapters_zoo.blobs import BlobStore, in_bucket, open_blobs


@pytest.fixture(params=["folder", "bucket"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> BlobStore:
    if request.param == "folder":
        return open_blobs(tmp_path / "shared")
    return open_blobs(f"{request.getfixturevalue('bucket')}/some/where")


def test_a_file_is_made_once_replaced_and_removed(storage: BlobStore) -> None:
    assert storage.read("a") is None
    assert storage.create("a", b"1")
    assert not storage.create("a", b"2")
    assert storage.read("a") == b"1"
    storage.write("a", b"3")
    assert storage.read("a") == b"3"
    storage.delete("a")
    storage.delete("a")
    assert storage.read("a") is None
    assert storage.create("a", b"4")


def test_names_are_of_one_folder_and_begin_with_the_prefix(storage: BlobStore) -> None:
    for name in ("key.10", "key.2", "key", "keys.1", "pulses/key.1", "pulses/lock.1", "pulses/deeper/key.1"):
        storage.write(name, b"")
    assert storage.names() == ["key", "key.10", "key.2", "keys.1"]
    assert storage.names("key.") == ["key.10", "key.2"]
    assert storage.names("pulses/") == ["pulses/key.1", "pulses/lock.1"]
    assert storage.names("pulses/l") == ["pulses/lock.1"]
    assert storage.names("p") == storage.names("none/") == []


def test_more_names_than_a_listing_has_in_a_page(storage: BlobStore) -> None:
    names = sorted(f"many/{number}" for number in range(1001))
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda name: storage.write(name, b""), names))
    assert storage.names("many/") == names


def test_of_many_that_create_one_file_one_succeeds(storage: BlobStore) -> None:
    many, rounds = 8, 20
    together = threading.Barrier(many)

    def create(number: int) -> list[bool]:
        won = []
        for turn in range(rounds):
            together.wait()
            won.append(storage.create(f"{turn}", b"%d" % number))
        return won

    with ThreadPoolExecutor(many) as threads:
        wins = list(threads.map(create, range(many)))
    for turn in range(rounds):
        (winner,) = (number for number in range(many) if wins[number][turn])
        assert storage.read(f"{turn}") == b"%d" % winner


def test_a_large_file_is_made_once_too(storage: BlobStore) -> None:
    large = bytes(12_000_000)  # More than a part of an upload in parts.
    assert storage.create("large", large)
    assert not storage.create("large", b"")
    assert storage.read("large") == large


def test_a_folder_is_not_made_where_the_disk_is_not_there(tmp_path: Path) -> None:
    storage = open_blobs(tmp_path / "mounted" / "shared")
    with pytest.raises(FileNotFoundError):
        storage.create("a", b"")
    assert storage.names() == []
    assert not (tmp_path / "mounted").exists()


def test_a_crash_between_draft_and_file_leaves_nothing_to_see(tmp_path: Path) -> None:
    storage = open_blobs(tmp_path)
    (tmp_path / ".key-12345678").write_bytes(b"half")
    assert storage.names() == []


def test_an_absent_bucket_is_an_error_not_an_absent_file(bucket: str) -> None:
    storage = open_blobs(f"{bucket}-of-nobody/there")
    for attempt in (lambda: storage.read("a"), lambda: storage.create("a", b""), lambda: storage.names()):
        with pytest.raises(OSError, match="no such bucket; make it first: 's3://"):
            attempt()


def test_a_server_out_of_reach_is_an_error_that_names_the_file(bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{unused.getsockname()[1]}")
    with pytest.raises(OSError, match=f"HTTP error.*{bucket}/zoo/a"):
        open_blobs(f"{bucket}/zoo").read("a")


def test_plain_http_is_refused_unless_allowed(bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ALLOW_HTTP")
    with pytest.raises(OSError, match="AWS_ALLOW_HTTP=true"):
        open_blobs(bucket).read("a")


def test_an_address_is_of_a_folder_or_of_a_bucket() -> None:
    assert in_bucket("s3://a/b")
    assert in_bucket("gs://a")
    assert not in_bucket("a/b")
    assert not in_bucket(Path("/a"))
    with pytest.raises(ValueError, match="ftp://a/b: name a folder, or a URI that begins with s3:// or gs://"):
        open_blobs("ftp://a/b")
