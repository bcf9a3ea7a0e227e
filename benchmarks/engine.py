"""How near the passes of one worker come to what its processor can do, and where the rest of the time goes.

    .venv/bin/python benchmarks/engine.py [--encoder FOLDER | --random 12x768] [--corpora FOLDER] [--threads 1] [--json]

What is read is German: the middle batch of 200 test sentences, and of 300 to learn from; language modelling has windows
of 64 tokens. A token is one of the text; the library computes on padding too. The two floors are the passes' own matrix
products at the rate of a 2048-cubed product, and the bytes that their operations read and write at the rate of a large
copy, all measured here, one after the other, in processor time of this process. The last column times the same pass of
`transformers` and `adapters` on the same model, which knows no restricted vocabulary. An encoder without a
language-modelling head has no passes of language training.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from adapters.composition import Stack
from options import encoder_options, parsed
from rich.console import Console
from rich.table import Table
from torch import Tensor
from torch.profiler import ProfilerActivity, profile
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode
from ways import random_encoder

from adapters_zoo.backbone import Encoder
from adapters_zoo.precision import best_precision
from adapters_zoo.recipes import TaskAdapterRecipe
from adapters_zoo.sources import locate_encoder
from workers.corpora import open_corpora
from workers.corpora.types import Corpora
from workers.encoding import TOKENS, collate, encode_items, evaluation_batches, training_batches

SOME = 8192
"""Pieces of a language's own text and others beside them, where predictions are held against those alone."""
WORKS = ("evaluation", "task training", "language training", f"against {SOME} pieces")
"""The last two need a language-modelling head."""
GROUPS = {
    "matrix products": ("aten::addmm", "aten::mm", "aten::bmm"),
    "GELU": ("aten::gelu", "aten::gelu_backward"),
    "norms": ("aten::native_layer_norm", "aten::native_layer_norm_backward"),
    "softmax": ("aten::_softmax", "aten::_softmax_backward_data"),
    "casts and copies": ("aten::copy_", "aten::cat"),
    "sums": ("aten::add", "aten::add_", "aten::mul", "aten::sum"),
}


@dataclass(frozen=True, slots=True)
class PassCost:
    """One kind of pass. Times are microseconds of processor time a token; shares are of the measured product rate."""

    work: str
    tokens: int
    microseconds: float
    arithmetic_floor: float
    bytes_floor: float
    share_of_product_rate: float
    library_microseconds: float
    over_library: float
    profile: dict[str, float]


def main() -> None:
    """Measure, and print it."""
    options = _options()
    torch.set_num_threads(options.threads)
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.encoder if options.random is None else random_encoder(options, Path(scratch))
        encoder = Encoder(locate_encoder(str(folder)), precision=best_precision())
    torch.manual_seed(0)
    encoder.add_language_adapter("language", reduction=2)
    encoder.add_task_adapter("task", reduction=16)
    rates = product_rate(encoder.precision), copy_rate()
    corpora = open_corpora(options.corpora)
    works = WORKS if encoder.has_language_head else WORKS[:2]
    measured = [measure(encoder, corpora, work, *rates) for work in works]
    result = {
        "encoder": options.random or str(options.encoder),
        "precision": encoder.precision,
        "threads": options.threads,
        "product_gflops": round(rates[0] / 1e9, 1),
        "copy_gb_s": round(rates[1] / 1e9, 1),
        "passes": [asdict(one) for one in measured],
    }
    if options.json:
        print(json.dumps(result))
    else:
        _print(result, measured)


def measure(encoder: Encoder, corpora: Corpora, work: str, products: float, copies: float) -> PassCost:
    """Times one kind of pass, ours and the library's, and counts its arithmetic and its bytes."""
    ids, mask = text(encoder, corpora, work)
    chosen = torch.rand(ids.shape) < 0.15
    modelling = work in WORKS[2:]
    ordinary = encoder.vocabulary.ordinary
    among = ordinary[torch.randperm(len(ordinary))[:SOME]] if work == WORKS[3] else None
    parts = ("language",) if modelling else ("language", "task")
    language, task = parts[0], parts[1] if len(parts) > 1 else None
    library, base = encoder._model, encoder._base
    library.set_active_adapters(Stack(*parts))
    bf16 = torch.autocast("cpu", torch.bfloat16, enabled=encoder.precision == "bf16")

    def ours() -> None:
        # The seam is shared by a column, and by every epoch: what is timed is what every task adapter pays.
        if seam is None:
            states = encoder.hidden_at(ids, chosen, language=language)
            logits = encoder.masked_language_logits(states, language=language, among=among)
            logits.logsumexp(1).sum().backward()
            return
        states = encoder.above(seam, language=language, task=task)
        if work == "task training":
            states.sum().backward()

    def theirs() -> None:
        with bf16:
            if modelling:
                library(input_ids=ids).logits.float().logsumexp(-1).sum().backward()
            else:
                states = base(input_ids=ids, attention_mask=mask).last_hidden_state
                if work == "task training":
                    states.sum().backward()

    context = torch.inference_mode() if work == "evaluation" else encoder.train(parts[-1])
    with context:
        with torch.no_grad():
            seam = encoder.seam(ids, mask, language=language, task=task) if task else None
        tokens = int(mask.sum())
        spent, library_spent = seconds(ours) / tokens, seconds(theirs) / tokens
        floor = operations(ours) / tokens / products
        return PassCost(
            work=work,
            tokens=tokens,
            microseconds=round(1e6 * spent, 1),
            arithmetic_floor=round(1e6 * floor, 1),
            bytes_floor=round(1e6 * moved(ours) / tokens / copies, 1),
            share_of_product_rate=round(floor / spent, 3),
            library_microseconds=round(1e6 * library_spent, 1),
            over_library=round(library_spent / spent, 2),
            profile=shares(ours),
        )


def text(encoder: Encoder, corpora: Corpora, work: str) -> tuple[Tensor, Tensor]:
    """Ids and mask [batch, length] of one batch of such work."""
    if work in WORKS[2:]:
        ids = torch.randint(5, encoder.vocabulary.size, (32, 64))
        return ids, torch.ones_like(ids)
    if work == "evaluation":
        encoded = encode_items(encoder, corpora.dataset("pos", "deu", "test").first(200))
        batches = list(evaluation_batches(encoded, TOKENS["cpu"]))
    else:
        encoded = encode_items(encoder, corpora.dataset("pos", "deu", "train").first(300))
        batches = list(training_batches(encoded, TaskAdapterRecipe().batch, np.random.default_rng(0)))
        batches.sort(key=lambda batch: len(encoded.sequences[batch[0]].ids))
    batch = collate(encoded, batches[len(batches) // 2], encoder.special.pad)
    return batch.ids, batch.mask


def seconds(pass_: Callable[[], None], least: float = 3.0) -> float:
    """Processor time of one call: the fastest of the runs that start within ``least`` seconds, each of several calls.

    A fifth of that time tells how many calls make a run; a pass that takes longer is called once, after one to warm up.
    """
    pass_()
    start, calls = time.process_time(), 0
    while calls == 0 or time.process_time() - start < least / 5:
        pass_()
        calls += 1
    runs = [time.process_time() - start]
    while sum(runs) < least:
        start = time.process_time()
        for _ in range(calls):
            pass_()
        runs.append(time.process_time() - start)
    return min(runs) / calls


def product_rate(precision: str) -> float:
    """Operations a second of a 2048-cubed matrix product."""
    square = torch.ones(2048, 2048, dtype=torch.bfloat16 if precision == "bf16" else torch.float32)
    return 2.0 * 2048**3 / seconds(lambda: _nothing(square @ square))


def copy_rate() -> float:
    """Bytes a second that copying 256 MiB reads and writes."""
    source = torch.ones(2**26)
    target = torch.empty_like(source)
    return 2.0 * source.nbytes / seconds(lambda: _nothing(target.copy_(source)))


def operations(pass_: Callable[[], None]) -> int:
    """Additions and multiplications in the matrix products of a pass."""
    with FlopCounterMode(display=False) as counter:
        pass_()
    return int(counter.get_total_flops())


def moved(pass_: Callable[[], None]) -> int:
    """Bytes of all tensors that operations (views aside) read and write, as if none stayed in a cache."""
    with _Bytes() as counter:  # type: ignore[no-untyped-call]
        pass_()
    return int(counter.total)


class _Bytes(TorchDispatchMode):
    total = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        given, made = (args, kwargs or {}), func(*args, **(kwargs or {}))
        tensors = [leaf for leaf in tree_leaves((given, made)) if isinstance(leaf, torch.Tensor)]
        if not func.is_view and "empty" not in str(func):
            self.total += sum(tensor.numel() * tensor.element_size() for tensor in tensors)
        return made


def shares(pass_: Callable[[], None]) -> dict[str, float]:
    """Share of the time by kind of operation; the rest is what Python, autograd and the dispatcher take."""
    with profile(activities=[ProfilerActivity.CPU]) as profiler:
        start = time.perf_counter()
        while time.perf_counter() - start < 1.0:
            pass_()
        whole = 1e6 * (time.perf_counter() - start)
    spent = {event.key: event.self_cpu_time_total for event in profiler.key_averages()}
    found = {group: sum(spent.get(name, 0.0) for name in names) / whole for group, names in GROUPS.items()}
    return {group: round(share, 3) for group, share in {**found, "all else": 1 - sum(found.values())}.items()}


def _nothing(_: object) -> None:
    """Drops a result."""


def _print(result: dict[str, Any], measured: list[PassCost]) -> None:
    console = Console(width=120)
    title = (
        f"{result['encoder']}, {result['precision']}, {result['threads']} thread: products {result['product_gflops']} "
        f"GFLOP/s, copies {result['copy_gb_s']} GB/s"
    )
    table = Table(title=title)
    columns = ("pass", "us a token", "arithmetic floor", "bytes floor", "share of product rate", "library us", "ratio")
    for name in columns:
        table.add_column(name, justify="left" if name == "pass" else "right")
    for one in measured:
        figures = (one.microseconds, one.arithmetic_floor, one.bytes_floor)
        share = f"{one.share_of_product_rate:.0%}"
        table.add_row(one.work, *map(str, figures), share, str(one.library_microseconds), str(one.over_library))
    console.print(table)
    table = Table(title="Where the time goes")
    for name in ("pass", *measured[0].profile):
        table.add_column(name, justify="left" if name == "pass" else "right")
    for one in measured:
        table.add_row(one.work, *(f"{share:.0%}" for share in one.profile.values()))
    console.print(table)


def _options() -> argparse.Namespace:
    parser = encoder_options(__doc__)
    parser.add_argument("--threads", type=int, default=1)
    return parsed(parser)


if __name__ == "__main__":
    main()
