"""Whose fault a failure is, told from real errors where they can be provoked."""

from __future__ import annotations

import errno
import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch
from deltalake import DeltaTable
from safetensors.torch import save_file

from workers.corpora.types import CorpusError
from workers.failures import Cause, failure_of
from workers.training import TrainingError


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """No file of this process may grow beyond ``size`` bytes: what a full disk is to a writer."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def cause_of(act: object, *arguments: object) -> Cause:
    with pytest.raises(Exception) as raised:  # noqa: PT011
        act(*arguments)  # type: ignore[operator]
    return failure_of(raised.value).cause


class TestSurroundings:
    def test_a_disk_that_takes_no_more_of_a_tensor_file(self, tmp_path: Path) -> None:
        with files_of_at_most(1000):
            assert cause_of(save_file, {"weights": torch.zeros(1000)}, tmp_path / "a.safetensors") == "surroundings"

    def test_a_disk_that_takes_no_more_of_a_plain_file(self, tmp_path: Path) -> None:
        with files_of_at_most(10):
            assert cause_of((tmp_path / "a").write_bytes, b"x" * 100) == "surroundings"

    def test_a_table_that_cannot_be_reached(self, tmp_path: Path) -> None:
        assert cause_of(DeltaTable, str(tmp_path / "nowhere")) == "surroundings"

    def test_a_corpus_that_the_system_cannot_read(self, tmp_path: Path) -> None:
        def read() -> None:
            try:
                tmp_path.read_bytes()
            except OSError as error:
                raise CorpusError(tmp_path, None, "cannot be read") from error

        assert cause_of(read) == "surroundings"


class TestMemory:
    def test_it_is_named_whatever_the_library_calls_it(self) -> None:
        assert failure_of(RuntimeError("could not create a primitive")).error.startswith("out of memory (RuntimeError")

    def test_an_allocation_that_torch_is_refused(self) -> None:
        assert cause_of(torch.empty, 2**50) == "memory"

    def test_an_allocation_that_python_is_refused(self) -> None:
        assert cause_of(bytearray, 2**60) == "memory"

    def test_an_allocation_that_the_system_refuses(self) -> None:
        def ask() -> None:
            raise OSError(errno.ENOMEM, os.strerror(errno.ENOMEM))

        assert cause_of(ask) == "memory"


@pytest.mark.parametrize(
    "error", [TrainingError("the loss became nan"), CorpusError("a.txt", 3, "not UTF-8"), KeyError("x"), IndexError()]
)
def test_anything_else_is_the_works_own(error: Exception) -> None:
    assert failure_of(error).cause == "work"


def test_a_failure_names_the_error_and_what_it_said() -> None:
    assert failure_of(TrainingError("the loss became nan")).error == "TrainingError: the loss became nan"
