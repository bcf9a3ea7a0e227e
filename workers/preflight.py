"""Before anything is trained: can jobs share the zoo's place, and does every machine see what its workers will need?"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ray
from ray.exceptions import RayError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from adapters_zoo.blobs import in_bucket, open_blobs
from adapters_zoo.sources import EncoderError, EncoderFiles, check_encoder

if TYPE_CHECKING:  # Torch would be waited for on every machine, only to look at files.
    from workers.protocol import RunContext

_PATIENCE = 300.0
"""Seconds for a machine to start a process and read an encoder once."""


class PreflightError(RuntimeError):
    """A place or a machine that a job cannot use. Says which, what is missing there, and what to do."""


def check_surroundings(context: RunContext, *, many: bool) -> None:
    """Raises ``PreflightError``, and ``OSError`` where the zoo is out of reach.

    ``many``: workers may be on other machines, which are checked too.
    """
    if many or in_bucket(context.zoo):
        with probe(context.zoo) as name:
            if many:
                check_machines(context, name)


@contextmanager
def probe(zoo: str) -> Iterator[str]:
    """A file among the zoo's claims, as long as the block; its name.

    Raises ``PreflightError`` where a second file of that name can be made: with such a server two jobs would overwrite
    each other's commits and adapters.
    """
    if not in_bucket(zoo):
        Path(zoo).mkdir(parents=True, exist_ok=True)
    storage, name = open_blobs(f"{zoo}/claims"), f"probe-{uuid.uuid4().hex}"
    storage.create(name, b"1")
    try:
        if storage.create(name, b"2"):
            raise PreflightError(
                f"{zoo}: the server makes a file twice although it is asked to make it only if it is absent "
                "(`If-None-Match: *`), so jobs cannot share it safely; use one that honours conditional writes"
            )
        yield name
    finally:
        storage.delete(name)


def check_machines(context: RunContext, name: str) -> None:
    """Have every machine that may hold a worker look for corpora, encoder and the ``name`` that ``probe`` returned.

    Raises ``PreflightError`` naming machines and paths.
    """
    asked = [
        (
            f"{node['NodeManagerHostname']} ({node['NodeManagerAddress']})",
            _look.options(scheduling_strategy=NodeAffinitySchedulingStrategy(node["NodeID"], soft=False)).remote(
                context.corpora, context.encoder, context.zoo, name
            ),
        )
        for node in _machines(context.device)
    ]
    problems = [f"{machine}: {problem}" for machine, answer in asked for problem in _answer(answer)]
    if problems:
        raise PreflightError(
            f"not every machine of the cluster sees what its workers need: {'; '.join(problems)}. "
            "Mount one shared folder at the same path on all of them, or keep store and zoo in a bucket"
        )


@ray.remote(num_cpus=0, max_retries=0)
def _look(corpora: Path, encoder: EncoderFiles, zoo: str, name: str) -> list[str]:
    problems = []
    if not corpora.is_dir():
        problems.append(f"no corpora at {corpora}")
    try:
        digest = check_encoder(encoder.folder).digest
        if digest != encoder.digest:
            problems.append(f"another encoder at {encoder.folder} ({digest[:8]}, not {encoder.digest[:8]})")
    except EncoderError as error:
        problems.append(f"no encoder: {error}")
    try:
        if open_blobs(f"{zoo}/claims").read(name) is None:
            problems.append(f"another zoo at {zoo} than the driver's")
    except OSError as error:
        problems.append(f"no zoo: {error}")
    return problems


def _answer(answer: Any) -> list[str]:
    try:
        problems: list[str] = ray.get(answer, timeout=_PATIENCE)
    except RayError as error:
        # Most often the package itself is missing there; the last line of Ray's account names it.
        return [str(error).strip().splitlines()[-1]]
    return problems


def _machines(device: str) -> list[Mapping[str, Any]]:
    needed = "GPU" if device == "cuda" else "CPU"
    listed: list[dict[str, Any]] = ray.nodes()  # type: ignore[no-untyped-call]
    return [node for node in listed if node["Alive"] and node["Resources"].get(needed, 0) > 0]
