"""Opening: the same lines however a file is packed, and no silence about damage."""

import bz2
import gzip
import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from workers.corpora.opening import read_lines
from workers.corpora.types import CorpusError

Write = Callable[..., Path]
TEXT = "ọjọ́\n\nsecond\u2028still second\n"
LINES = ["ọjọ́", "", "second\u2028still second"]


@pytest.mark.parametrize("pack", [bytes, gzip.compress, bz2.compress], ids=["plain", "gzip", "bzip2"])
def test_packing_is_told_by_the_first_bytes_not_by_the_name(write: Write, pack: Callable[[bytes], bytes]) -> None:
    assert read_lines(write("corpus.txt", pack(TEXT.encode()))) == LINES


def test_byte_order_mark_and_carriage_returns_are_dropped(write: Write) -> None:
    assert read_lines(write("a.txt", "\ufeffone\r\ntwo\r\n")) == ["one", "two"]


def test_unicode_normalisation_is_left_alone(write: Write) -> None:
    assert read_lines(write("a.txt", "e\u0301\n\u00e9\n")) == ["e\u0301", "\u00e9"]


def test_last_line_needs_no_end(write: Write) -> None:
    assert read_lines(write("a.txt", "one\ntwo")) == ["one", "two"]


def test_bytes_outside_utf8_are_an_error_with_their_line(write: Write) -> None:
    path = write("a.txt", b"one\ntw\xf6\n")
    with pytest.raises(CorpusError, match="byte 0xf6 is not UTF-8") as caught:
        read_lines(path)
    assert (caught.value.path, caught.value.line) == (str(path), 2)


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress], ids=["gzip", "bzip2"])
def test_file_cut_short_is_an_error(write: Write, pack: Callable[[bytes], bytes]) -> None:
    whole = pack(TEXT.encode() * 100)
    with pytest.raises(CorpusError, match="damaged"):
        read_lines(write("a", whole[: len(whole) // 2]))


@pytest.mark.parametrize("content", ["", "\n \n"])
def test_empty_file_is_an_error(write: Write, content: str) -> None:
    with pytest.raises(CorpusError, match="the file is empty"):
        read_lines(write("a.txt", content))


def test_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=r"gone\.txt: no such file"):
        read_lines(tmp_path / "gone.txt")


def test_folder_in_place_of_a_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="cannot be read"):
        read_lines(tmp_path)


def test_digest_is_of_the_file_as_it_lies_on_disk(write: Write) -> None:
    packed = gzip.compress(TEXT.encode())
    assert read_lines(write("a.gz", packed), hashlib.sha256(packed).hexdigest()) == LINES


def test_altered_file_is_refused_with_both_digests(write: Write) -> None:
    expected = hashlib.sha256(b"one\n").hexdigest()
    with pytest.raises(CorpusError, match=f"SHA-256 is {hashlib.sha256(b'two').hexdigest()}.*{expected}"):
        read_lines(write("a.txt", "two"), expected)
