"""How alike languages are to an encoder, and whether that tells which source to transfer from.

    python studies/encoder_likeness.py states ENCODER_FOLDER CORPORA OUT.npz [--sentences 40] [--layers 4 8 12]
    python studies/encoder_likeness.py judge OUT.npz TABLE.csv [--layer 4] [--each]

The first reads plain sentences of every language that ``CORPORA/text`` has, and keeps the mean state of each sentence
at some layers; it needs torch and transformers. The second judges recommendations on a published table with and
without the likeness of states as features, target by target. On tables of XLM-R, multilingual-e5-small (4-bit) stands
in for it: the figures in docs/recommend.md are of that stand-in.

The figures in docs/ were first stated in commit 101918b (2026-11-30).
"""

from __future__ import annotations

import argparse
import bz2
import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from matrices.backtest import judge_all
from matrices.backtest.methods import sprachbund
from matrices.languages import resolve
from matrices.likeness.encoder_states import likeness_of_states
from matrices.published.scores import read_scores

LAYERS = (4, 8, 12)
PARALLEL = "ntrex"
"""Sentences of this file are translations of each other: what centred kernel alignment needs."""
SHORTEST, LONGEST = 20, 200


def lines_of(path: Path) -> list[str]:
    with bz2.open(path, "rt", encoding="utf-8") as lines:
        return lines.read().splitlines()


def sentences_of(folder: Path, most: int) -> tuple[list[str], int]:
    """Up to ``most`` sentences of a language; the first so many of them are parallel ones."""
    files = sorted(folder.glob("*.bz2"))
    parallel = [line for path in files if path.name.startswith(PARALLEL) for line in lines_of(path)[: most // 2]]
    single = [line.strip() for path in files if not path.name.startswith(PARALLEL) for line in lines_of(path)]
    other = [line for line in single if SHORTEST <= len(line) <= LONGEST]
    random = np.random.default_rng(0)
    chosen = random.permutation(len(other))[: most - len(parallel)]
    return parallel + [other[at] for at in chosen], len(parallel)


def states(encoder: Path, corpora: Path, out: Path, most: int, layers: Sequence[int], only: Iterable[str]) -> None:
    import torch
    from transformers import AutoModel, AutoTokenizer

    torch.set_num_threads(1)
    model = AutoModel.from_pretrained(encoder).eval()
    # What comes after the last layer that is looked at is not computed.
    model.encoder.layer = model.encoder.layer[: max(layers)]
    tokenizer = AutoTokenizer.from_pretrained(encoder)
    wanted = frozenset(only)
    kept: dict[str, np.ndarray] = {":layers": np.array(layers)}
    for folder in sorted((corpora / "text").iterdir()):
        code = resolve(folder.name).code
        lines, parallel = sentences_of(folder, most)
        if (wanted and code not in wanted) or len(lines) < most // 2:
            continue
        found = []
        with torch.no_grad():
            for begin in range(0, len(lines), 20):
                batch = tokenizer(
                    lines[begin : begin + 20], return_tensors="pt", padding=True, truncation=True, max_length=48
                )
                hidden = model(**batch, output_hidden_states=True).hidden_states
                mask = batch["attention_mask"][:, :, None].float()
                found.append(np.stack([((hidden[at] * mask).sum(1) / mask.sum(1)).numpy() for at in layers], axis=1))
        kept[code] = np.concatenate(found).astype(np.float32)
        kept[f"{code}:parallel"] = np.array(parallel)
        print(code, len(lines), parallel, flush=True)
    np.savez_compressed(out, allow_pickle=False, **kept)


def judge(held: Path, table: Path, layer: int, *, each: bool) -> None:
    with np.load(held) as arrays:
        codes = [name for name in arrays.files if ":" not in name]
        at = arrays[":layers"].tolist().index(layer)
        of = {code: arrays[code][:, at].astype(np.float64) for code in codes}
        parallel = {code: int(arrays[f"{code}:parallel"]) for code in codes}
    like = likeness_of_states(of, parallel)
    scores = read_scores(table)
    there = set(like.codes)
    # Only pairs of which both have texts: else the feature would be judged where it is missing.
    rows = [row for row, code in enumerate(scores.sources) if code in there]
    columns = [column for column, code in enumerate(scores.targets) if code in there]
    sources, targets = (
        tuple(one[index] for index in places) for one, places in ((scores.sources, rows), (scores.targets, columns))
    )
    place = {code: index for index, code in enumerate(like.codes)}
    chosen = np.ix_([place[code] for code in sources], [place[code] for code in targets])
    without = replace(
        scores,
        sources=sources,
        targets=targets,
        scores=scores.scores[np.ix_(rows, columns)],
        errors=None,
        pair_features={name: values[np.ix_(rows, columns)] for name, values in scores.pair_features.items()},
    )
    features = {name: values[chosen] for name, values in like.cosines.items()}
    before = judge_all(without, {"without": sprachbund})
    alone = {name: {name: values} for name, values in features.items()} if each else {}
    for name, tried in {"all": features, **alone}.items():
        table_with = replace(without, pair_features={**without.pair_features, **tried})
        after = judge_all(table_with, {"with": sprachbund})
        figures = {}
        for figure in ("ndcg_at_3", "regret_at_1"):
            gains = 100 * np.array(
                [getattr(b, figure) - getattr(a, figure) for a, b in zip(before, after, strict=True)]
            )
            gains = gains[np.isfinite(gains)]
            figures[figure] = {"change": gains.mean(), "error": gains.std(ddof=1) / np.sqrt(len(gains))}
        print(
            json.dumps({"table": table.name, "layer": layer, "features": name, "targets": len(before), **figures}),
            flush=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    first = commands.add_parser("states")
    first.add_argument("encoder", type=Path)
    first.add_argument("corpora", type=Path)
    first.add_argument("out", type=Path)
    first.add_argument("--sentences", type=int, default=40)
    first.add_argument("--layers", type=int, nargs="+", default=LAYERS)
    first.add_argument("--languages", nargs="*", default=[], help="ISO 639-3 codes; left out: all that have texts")
    second = commands.add_parser("judge")
    second.add_argument("states", type=Path)
    second.add_argument("table", type=Path)
    second.add_argument("--layer", type=int, default=LAYERS[0])
    second.add_argument("--each", action="store_true", help="each likeness by itself too")
    given = parser.parse_args()
    if given.command == "states":
        states(given.encoder, given.corpora, given.out, given.sentences, given.layers, given.languages)
    else:
        judge(given.states, given.table, given.layer, each=given.each)


if __name__ == "__main__":
    main()
