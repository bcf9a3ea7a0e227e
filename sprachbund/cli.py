"""The command line: the one room that sees all others."""

from __future__ import annotations

import gc
import importlib.util
import pkgutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from typer.core import TyperCommand, TyperGroup

from matrices.logs import configure_logs
from sprachbund import __version__

COMMANDS = {
    "matrices": ("ask:matrices", "List the matrices of a store, with versions."),
    "recommend": ("ask:recommend", "Rank the languages to transfer from, for a task in a language, measured or not."),
    "export": ("ask:export_matrix", "Write one version of a matrix as one file."),
    "serve": ("serve:serve", "Serve answers, downloads and the web page over HTTP."),
    "keys": (
        "keys:keys",
        "Make, list or revoke API keys of a service; a key is shown once, and kept as its hash alone.",
    ),
    "measure": (
        "measure:measure",
        "Measure interference, donors and recipients, transfer adjusted for hardness, and more, with intervals.",
    ),
    "plot": (
        "pictures:plot",
        "Draw a matrix: what every source does to every target, or which languages give and which take.",
    ),
    "backtest": (
        "backtest:backtest",
        "How far to trust recommendations on a matrix: leave each target out, rank its sources, look at its scores.",
    ),
    "compare": (
        "compare:compare",
        "Hold two matrices together, of two methods say: do they choose the same sources, and at what cost?",
    ),
    "import": (
        "importing:import_table",
        "Bring a published table, or an exported matrix, into a store: all its lines, or none where one is wrong.",
    ),
    "corpora": (
        "corpora:corpora",
        "Show what a folder of corpora holds: languages, tasks, splits, items, and what stands in two splits.",
    ),
    "plan": (
        "jobs:plan_command",
        "Show what a job will train and measure, what is done already, and what it is likely to cost.",
    ),
    "fill": (
        "jobs:fill_command",
        "Run a job, or go on with it: train what is missing, measure what is missing, append cells as they finish.",
    ),
    "pretrain": (
        "jobs:pretrain_command",
        "Train a small multilingual encoder and its tokenizer from corpora, by masked-language modelling.",
    ),
    "othello": (
        "othello:othello",
        "Train and probe models on invented languages of one game: what aligns languages, and does that give transfer?",
    ),
    "landscape": (
        "landscape:landscape",
        "Measure the line from a model of one language to one of two: how flat, how straight, how steep.",
    ),
    "demo": (
        "demo:demo",
        "Generate languages, train on them, fill both kinds of matrix and ask: a few minutes, nothing downloaded.",
    ),
}
"""Where each command stands in ``sprachbund.commands``, and the first line of its help, for the list of all."""

_ROOMS = ("sprachbund", "matrices", "adapters_zoo", "workers", "service")


@dataclass(frozen=True)
class Extra:
    """What some commands need beyond the plain installation, and what they do with it."""

    name: str
    packages: tuple[str, ...]
    commands: tuple[str, ...]
    for_what: str

    @property
    def install(self) -> str:
        """The command that installs it, as Rich's markup."""
        return rf"pip install 'sprachbund\[{self.name}]'"


EXTRAS = (
    Extra(
        "workers",
        ("torch", "adapters", "transformers", "ray", "obstore", "safetensors", "seqeval", "tokenizers"),
        ("corpora", "plan", "fill", "pretrain", "othello", "landscape", "demo"),
        "reads corpora or trains",
    ),
    Extra(
        "service",
        ("fastapi", "prometheus_client", "pydantic_settings", "uvicorn"),
        ("serve", "keys"),
        "belongs to the service",
    ),
)


class Commands(TyperGroup):
    """The commands as a list, until one is chosen: that one alone is imported, as others take seconds."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        for name, (_, line) in COMMANDS.items():
            lacking = _lacking(name)
            self.add_command(TyperCommand(name, help=line if lacking is None else f"Needs `{lacking.install}`."))

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        name, _, rest = super().resolve_command(ctx, args)
        return name, name and _imported(name), rest


app = typer.Typer(cls=Commands, no_args_is_help=True, rich_markup_mode="rich", pretty_exceptions_enable=False)


def _say_version(wanted: bool) -> None:
    if wanted:
        print(f"sprachbund {__version__}")
        raise typer.Exit


@app.callback()
def sprachbund(
    version: Annotated[
        bool, typer.Option("--version", callback=_say_version, is_eager=True, help="Print the version, and stop.")
    ] = False,
) -> None:
    """Measure which language to transfer from, and ask for the best one."""


def main() -> None:
    """Run the command line. What a person can mend is one line on standard error and exit status 1."""
    # Libraries make half a million objects while they are imported, and none of them is garbage: looking through them
    # after every 700 took a twentieth of a first answer. What runs long still has its cycles collected.
    gc.set_threshold(100_000)
    configure_logs()
    try:
        app()
    except (ValueError, LookupError, OSError, RuntimeError) as error:
        if not _mendable(error):
            raise
        line = " ".join(part.strip() for part in str(error).splitlines())
        Console(stderr=True).print(f"[red]error:[/] {escape(line)}", highlight=False, soft_wrap=True)
        sys.exit(getattr(error, "exit_status", 1))


def _mendable(error: Exception) -> bool:
    """Whether an error is one of ours or the file system's; any other is a defect, whose traceback is wanted."""
    return isinstance(error, OSError) or type(error).__module__.partition(".")[0] in _ROOMS


def _imported(name: str) -> Any:
    """The command itself; where this installation cannot run it, one that names the extra that is missing."""
    alone = typer.Typer(add_completion=False)
    if (lacking := _lacking(name)) is not None:
        anything = {"allow_extra_args": True, "ignore_unknown_options": True}
        alone.command(name, help=f"Needs `{lacking.install}`.", context_settings=anything)(_refuser(lacking))
    else:
        place, _ = COMMANDS[name]
        alone.command(name)(pkgutil.resolve_name(f"sprachbund.commands.{place}"))
    return typer.main.get_command(alone)


def _lacking(command: str) -> Extra | None:
    """The extra that a command needs and that is not installed."""
    for extra in EXTRAS:
        # Once imported, `adapters` has no spec any more.
        there = (name in sys.modules or importlib.util.find_spec(name) for name in extra.packages)
        if command in extra.commands and not all(there):
            return extra
    return None


def _refuser(extra: Extra) -> Callable[[], None]:
    def refuse() -> None:
        said = f"[red]error:[/] this command {extra.for_what}; {extra.install}"
        Console(stderr=True).print(said, highlight=False, soft_wrap=True)
        raise typer.Exit(1)

    return refuse
