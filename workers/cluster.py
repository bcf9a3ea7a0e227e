"""The Ray cluster a job runs on: one that is named, or this machine; and how many workers it holds."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import socket
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import ray
from ray.exceptions import RayError

from matrices import logs
from workers.failures import JobInterruptedError


@contextlib.contextmanager
def _signals_as_they_are() -> Iterator[None]:
    """Whoever handles SIGTERM goes on doing so: Ray's own handler writes a stack and aborts what cleans up."""
    handler = signal.getsignal(signal.SIGTERM)
    yield
    if callable(handler) and threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, handler)


class ClusterError(JobInterruptedError):
    """No Ray cluster answers at an address."""


class NoGpuError(RuntimeError):
    """No machine with the GPUs that a job wants for each worker."""

    def __init__(self, gpus: float, most: float, machines: int) -> None:
        where = "this machine has" if machines == 1 else f"the largest of {machines} machines has"
        has = f"{where} {most:g}" if most else f"{where} no GPU"
        super().__init__(f"gpus_per_worker is {gpus:g}, and {has}; set it to {most:g}, or name a cluster that has more")


@dataclass(frozen=True, slots=True)
class Crew:
    """How many workers, and what each reserves: ``threads`` (CPU cores) and a share of a GPU."""

    workers: int
    threads: int
    gpus: float


def named_address(given: str | None) -> str | None:
    """The cluster that was named, else the one of ``RAY_ADDRESS``, which Ray sets for what `ray job submit` runs."""
    return given or os.environ.get("RAY_ADDRESS") or None


@contextlib.contextmanager
def joined(address: str | None, workers: int | None, object_store: int = 512) -> Iterator[None]:
    """Be part of the cluster at ``address``, or of one on this machine that lasts as long as the block.

    A process that belongs to one already stays with that. ``object_store`` is in MiB, of a cluster started here; any
    other was given its own. Raises ``ClusterError``.
    """
    # Ray would otherwise resolve the environment anew in every worker when the driver was started by `uv run`.
    os.environ.setdefault("RAY_ENABLE_UV_RUN_RUNTIME_ENV", "0")
    if ray.is_initialized():
        yield
        return
    # Without an address Ray would join whatever cluster it finds on this machine.
    cores = os.cpu_count() or 1
    # Left alone, Ray takes 30% of the machine's memory for objects, and all that passes here is rows of cells.
    local: dict[str, Any] = {
        "num_cpus": max(cores, workers or 0),
        "include_dashboard": False,
        "object_store_memory": object_store << 20,
    }
    try:
        if address is not None:
            _knock(address)
        with _signals_as_they_are():
            ray.init(
                address=address or "local",
                log_to_driver=False,
                logging_level=logging.ERROR,
                **(local if address is None else {}),
            )
    except (OSError, RuntimeError, ValueError, RayError) as error:
        if address is None:
            raise
        raise ClusterError(
            f"no Ray cluster answers at {address} ({error}); see `ray status --address {address}`, start one with "
            "`ray start --head`, or leave `--address` out to run on this machine"
        ) from error
    try:
        yield
    finally:
        ray.shutdown()


def _knock(address: str) -> None:
    """Raises ``OSError`` where nobody listens at host:port, which Ray itself finds out only after minutes."""
    host, _, port = address.rpartition(":")
    if host and port.isdigit() and "://" not in address:
        socket.create_connection((host, int(port)), timeout=10).close()


def nodes() -> dict[str, Mapping[str, float]]:
    """The nodes that are alive, by id, with their resources."""
    listed: list[dict[str, Any]] = ray.nodes()  # type: ignore[no-untyped-call]
    return {node["NodeID"]: node["Resources"] for node in listed if node["Alive"]}


def machines(address: str | None) -> list[Mapping[str, float]]:
    """What each machine of the cluster at ``address``, or of ``RAY_ADDRESS``, has; of none, this one. Starts no Ray.

    Raises ``ClusterError``.
    """
    named = named_address(address)
    if named is None:
        import torch

        return [{"CPU": float(os.cpu_count() or 1), "GPU": float(torch.cuda.device_count())}]
    with joined(named, None):
        return list(nodes().values())


def must_belong() -> None:
    """Check that the cluster this process joined still answers at its address. Otherwise raises ``ClusterError``.

    A head node that is replaced within a minute knows none of the earlier workers, and a driver would wait for them for
    ever: Ray (2.60) ends such a process only when it asks the head for something. This asks. Ray may then end the
    process here, before anything is raised.
    """
    if ray.get_runtime_context().get_node_id() not in nodes():
        raise ClusterError("the cluster that the driver joined was replaced by another at its address")


def must_have_gpus(resources: Sequence[Mapping[str, float]], gpus: float) -> None:
    """Raises ``NoGpuError`` where none of the nodes has as many as a worker is to have."""
    most = max(node.get("GPU", 0) for node in resources)
    if gpus > most:
        raise NoGpuError(gpus, most, len(resources))


def crew_for(resources: Sequence[Mapping[str, float]], workers: int | None, gpus: float) -> Crew:
    """The workers a cluster of nodes with these resources holds, unless told how many: one a core, or one a GPU share.

    Cores are divided so that all workers run at once; each has at least one thread.
    """
    cores = [int(node.get("CPU", 0)) for node in resources]
    places = [int(node.get("GPU", 0) / gpus + 1e-9) for node in resources] if gpus else cores
    count = workers or max(1, sum(min(have, core) for have, core in zip(places, cores, strict=True)))
    threads = max(1, sum(cores) // count)
    while (
        threads > 1
        and sum(_fits(place, core, threads, gpus) for place, core in zip(places, cores, strict=True)) < count
    ):
        threads -= 1
    return Crew(count, threads, gpus)


def _fits(places: int, cores: int, threads: int, gpus: float) -> int:
    return min(places, cores // threads) if gpus else cores // threads


def worker_environment(threads: int) -> dict[str, Any]:
    """The runtime environment of a worker: as many threads as it reserves cores, and logs in the driver's form."""
    form = {logs.VARIABLE: os.environ[logs.VARIABLE]} if logs.VARIABLE in os.environ else {}
    # Each step frees and takes the same hundreds of MB; to hand them back and have them zeroed anew costs 8% of it.
    keep = {"MALLOC_TRIM_THRESHOLD_": str(4 << 30), "MALLOC_MMAP_THRESHOLD_": str(1 << 30)}
    # Threads that turn in circles until the last is done hold it up where other processes want the cores.
    wait = {"GOMP_SPINCOUNT": "10000"}
    return {"env_vars": {"OMP_NUM_THREADS": str(threads), "TOKENIZERS_PARALLELISM": "false", **keep, **wait, **form}}
