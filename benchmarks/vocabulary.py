"""What a restricted vocabulary spares a language adapter, and what it costs it.

    .venv/bin/python benchmarks/vocabulary.py [--encoder FOLDER] [--languages deu,fin] [--steps 150] [--json]
    .venv/bin/python benchmarks/vocabulary.py --encoder runs/multilingual-e5-small-4bit --random 12x384 --steps 4

One adapter a language and recipe, trained on nine tenths of its raw text. What it became is judged on the last tenth,
by the loss of masked-language modelling over the whole vocabulary, whatever it was trained by (nats a prediction; the
same masks for all). Seconds are of the processor, of steps alone. With random weights only these say something.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from options import encoder_options, parsed
from rich.console import Console
from rich.table import Table
from ways import random_encoder

from adapters_zoo.backbone import Encoder
from adapters_zoo.precision import best_precision
from adapters_zoo.recipes import LanguageAdapterRecipe
from adapters_zoo.sources import locate_encoder
from workers.corpora import open_corpora
from workers.encoding import token_stream, window_starts
from workers.language_modelling import mask_tokens, packed_batch, train_language_adapter

OTHERS: dict[str, int | None] = {"whole vocabulary": None, "own pieces and 2000": 2000, "own pieces alone": 0}


def main() -> None:
    """Train, judge, and print it."""
    options = _options()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.encoder if options.random is None else random_encoder(options, Path(scratch))
        encoder = Encoder(locate_encoder(str(folder)), precision=best_precision())
    corpora, rows = open_corpora(options.corpora), []
    for code in options.languages:
        text = corpora.text(code)
        if text is None:
            raise SystemExit(f"{code}: no raw text in {options.corpora}")
        learnt, held_out = _split(text.sentences)
        rows += [measure(encoder, code, learnt, held_out, way, options.steps) for way in OTHERS]
    if options.json:
        print(json.dumps({"encoder": options.random or str(options.encoder), "steps": options.steps, "rows": rows}))
        return
    table = Table(title=f"{options.random or options.encoder}, {encoder.vocabulary.size} entries")
    for name in rows[0]:
        table.add_column(name)
    for row in rows:
        table.add_row(*map(str, row.values()))
    Console().print(table)


def measure(
    encoder: Encoder, code: str, learnt: tuple[str, ...], held_out: tuple[str, ...], way: str, steps: int
) -> dict[str, Any]:
    """One adapter: what a step of it took, and what it is worth."""
    recipe = LanguageAdapterRecipe(steps=steps, others=OTHERS[way])
    start = time.process_time()
    token_stream(encoder, learnt)
    read = time.process_time() - start
    train_language_adapter(encoder, "adapter", learnt, recipe)
    spent = (time.process_time() - start - 2 * read) / steps
    loss = _loss(encoder, held_out, recipe)
    encoder.remove("adapter")
    return {"language": code, "held against": way, "seconds a step": round(spent, 3), "loss": round(loss, 4)}


def _loss(encoder: Encoder, sentences: tuple[str, ...], recipe: LanguageAdapterRecipe, batches: int = 8) -> float:
    stream = token_stream(encoder, sentences)
    rng = np.random.default_rng(0)
    torch.manual_seed(0)
    starts = window_starts(stream, recipe.length - 1, encoder.special.end)
    losses = []
    with torch.inference_mode():
        for _ in range(batches):
            ids = packed_batch(stream, rng.choice(starts, 16), recipe.length, encoder.special.begin)
            masked = mask_tokens(ids, recipe.masked, encoder.vocabulary)
            states = encoder.hidden_at(masked.ids, masked.chosen, language="adapter")
            logits = encoder.masked_language_logits(states, language="adapter")
            losses.append(float(torch.nn.functional.cross_entropy(logits, masked.targets)))
    return float(np.mean(losses))


def _split(sentences: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    cut = len(sentences) * 9 // 10
    return sentences[:cut], sentences[cut:]


def _options() -> argparse.Namespace:
    parser = encoder_options(__doc__)
    parser.add_argument("--languages", type=lambda text: text.split(","), default=["deu", "fin"], metavar="deu,fin")
    parser.add_argument("--steps", type=int, default=150)
    return parsed(parser)


if __name__ == "__main__":
    main()
