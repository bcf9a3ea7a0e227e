"""`demo`: the main job from end to end on generated languages, with no download, no data and no GPU."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from matrices.export import export
from matrices.grid import ScoreGrid, grid
from matrices.plots import heat_map, save
from matrices.store import Store
from sprachbund.commands.arguments import JsonOption
from sprachbund.commands.ask import recommend
from sprachbund.commands.jobs import counting, watching
from sprachbund.terminal_heat_map import matrix_table
from workers.othello.blueprints import languages
from workers.othello.corpora import othello_corpora
from workers.othello.languages import InventedLanguage

if TYPE_CHECKING:
    from workers.driver import Summary

PRETRAIN = """\
# A tiny encoder of the six invented languages: `sprachbund pretrain pretrain.yaml` makes it.
out: encoder
corpora: corpora
vocabulary: 400       # a token a word, so that a shared word is a shared token
layers: 2
hidden: 64
max_length: 64
length: 32
pair_length: 24
tokens: 2048
steps: 1200
precision: fp32
"""
FILL = """\
# `sprachbund plan {kind}.yaml` shows what this measures; `sprachbund fill {kind}.yaml` measures what is missing.
store: store
encoder: {{name: encoder}}
corpora: corpora
kind: {kind}
tasks: [board, corner]
sources: {codes}
targets: {codes}
seeds: [0, 1, 2]
language_adapter: {{steps: 150, tokens: 1024, length: 32, learning_rate: 1.0e-2}}
task_adapter: {{epochs: 8, batch: 32, learning_rate: 3.0e-3, reduction: 2}}
workers: 2
precision: fp32
"""
KINDS = {
    "zero_shot": FILL,
    # One pivot: a task adapter that learns from every language leaves little for a transfer language to change.
    "interference": FILL + 'pivots: ["qaa"]\n',
}
ASKED = ("board", "qab")
"""Task and target of the recommendation that is shown."""


@dataclass(frozen=True, slots=True)
class DemoRun:
    """What a run of the demo did, and the files there are now."""

    pretrained: bool
    trained: int
    measured: int
    failed: int
    seconds: float
    files: tuple[Path, ...]


def demo(
    out: Annotated[Path, typer.Option(help="Folder for everything that the demo makes.")] = Path("demo"),
    as_json: JsonOption = False,
) -> None:
    """Generate languages, train on them, fill both kinds of matrix and ask: a few minutes, nothing downloaded."""
    console = Console(stderr=as_json)
    begun = time.monotonic()
    spoken = _corpora(console, out)
    pretrained = _encoder(console, out)
    summaries = [_matrix(console, out, kind) for kind in KINDS]
    store = Store.open(out / "store")
    grids = {(info.kind, info.task): grid(store.cells(info.matrix)) for info in store.matrices()}
    files = _files(out, store, grids)
    done = DemoRun(
        pretrained,
        sum(summary.trained for summary in summaries),
        sum(summary.measured for summary in summaries),
        sum(summary.failed for summary in summaries),
        time.monotonic() - begun,
        files,
    )
    if as_json:
        print(json.dumps(_json(done)))
    else:
        _show(console, out, spoken, list(grids.values()), done)


def _corpora(console: Console, out: Path) -> Sequence[InventedLanguage]:
    root = out / "corpora"
    # The declaration is written last: where it is, everything else is.
    if (root / "corpora.yaml").is_file():
        console.print(f"[dim]1/4 six languages: already in {root}[/]")
        return languages()
    console.print(f"1/4 inventing six languages and playing Othello in them, into {root}")
    return othello_corpora(root)


def _encoder(console: Console, out: Path) -> bool:
    from workers.pretraining import load_pretrain_job, pretrain  # torch takes seconds that `--help` need not wait for.

    job_file = _write(out / "pretrain.yaml", PRETRAIN)
    console.print("2/4 pretraining a tiny encoder on their raw text")
    with counting(console, "pretraining") as tick:
        return pretrain(load_pretrain_job(job_file), tick).trained


def _matrix(console: Console, out: Path, kind: str) -> Summary:
    from workers.driver import fill
    from workers.job import load_job

    codes = json.dumps([language.code for language in languages()])
    job_file = _write(out / f"{kind}.yaml", KINDS[kind].format(kind=kind, codes=codes))
    console.print(f"{3 + list(KINDS).index(kind)}/4 training adapters and filling the {kind} matrices")
    with watching(console) as watch:
        return fill(load_job(job_file), folder=out, watch=watch)


def _write(path: Path, text: str) -> Path:
    """Job files are left as they are, so that someone may change a knob and run the demo again."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.is_file():
        path.write_text(text, encoding="utf-8")
    return path


def _files(out: Path, store: Store, grids: dict[tuple[str, str], ScoreGrid]) -> tuple[Path, ...]:
    made = []
    for (kind, task), drawn in grids.items():
        name = f"{kind}-{task}"
        made.append(export(store, drawn.matrix, out / "matrices" / f"{name}.parquet"))
        made += [save(heat_map(drawn), out / "pictures" / f"{name}{ending}") for ending in (".png", ".svg")]
    return tuple(made)


def _show(
    console: Console, out: Path, spoken: Sequence[InventedLanguage], grids: Sequence[ScoreGrid], done: DemoRun
) -> None:
    console.print()
    console.print(_cast(spoken))
    for drawn in grids:
        console.print(matrix_table(drawn, width=console.width))
        console.print()
    task, target = ASKED
    recommend(task=task, target=target, store=str(out / "store"))
    console.print()
    _say_what_was_done(console, done)
    for path in done.files:
        console.print(f"  {path}", highlight=False)
    console.print("\nWhat next:", style="bold")
    for what, command in (
        ("serve it", f"sprachbund serve --store {out / 'store'}"),
        ("ask again", f"sprachbund recommend --store {out / 'store'} --task corner --target qaf"),
        ("change a knob", f"edit {out / 'zero_shot.yaml'}, then sprachbund fill {out / 'zero_shot.yaml'}"),
        ("use your own data", "docs/corpora.md says how to declare it; docs/demo.md what was shown here"),
    ):
        console.print(f"  {what:18} {command}", highlight=False, soft_wrap=True)


def _say_what_was_done(console: Console, done: DemoRun) -> None:
    if not (done.pretrained or done.trained or done.measured or done.failed):
        console.print("[green]Nothing was trained:[/] everything was done before and was read from the store.")
    else:
        made = f"{'An encoder and ' if done.pretrained else ''}{done.trained} adapters trained"
        console.print(f"[green]{made}, {done.measured} cells measured[/] in {done.seconds:.0f} s.")
    if done.failed:
        console.print(f"[red]{done.failed} cells failed[/]; run the demo again to retry them alone.")


def _cast(spoken: Sequence[InventedLanguage]) -> Table:
    table = Table(title="The languages: how a move is said, and moves said with a word that others share", box=None)
    for name in ("code", "language", "first square"):
        table.add_column(name)
    table.add_column("shared words", justify="right")
    for language in spoken:
        words = next(words for square, words in enumerate(language.words) if words and square not in language.anchored)
        table.add_row(language.code, language.name, " ".join(words), f"{len(language.anchored)} of {_moves(language)}")
    return table


def _moves(language: InventedLanguage) -> int:
    return sum(bool(words) for words in language.words)


def _json(done: DemoRun) -> dict[str, object]:
    return {
        "pretrained": done.pretrained,
        "trained": done.trained,
        "measured": done.measured,
        "failed": done.failed,
        "seconds": round(done.seconds, 1),
        "files": [str(path) for path in done.files],
    }
