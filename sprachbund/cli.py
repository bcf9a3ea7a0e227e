"""The command line: the one room that sees all others."""

from __future__ import annotations

import importlib.util
import sys
from typing import NoReturn

import typer
from click import ClickException
from rich.console import Console
from rich.markup import escape

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    help="Measure which language to transfer from, and ask for the best one.",
)

_WORKERS = ("torch", "adapters", "transformers", "ray")


def main() -> NoReturn:
    """Run the command line. What a person can mend is one line on standard error and exit status 1."""
    _register()
    try:
        app(standalone_mode=False)
    except typer.Exit as done:
        sys.exit(done.exit_code)
    except typer.Abort:
        sys.exit(130)
    except ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (ValueError, LookupError, OSError, RuntimeError) as error:
        if type(error).__module__.partition(".")[0] in ("builtins", "torch", "ray"):
            raise  # Not one of ours: a defect, whose traceback is wanted.
        Console(stderr=True).print(f"[red]error:[/] {escape(str(error))}", highlight=False, soft_wrap=True)
        sys.exit(1)
    sys.exit(0)


def _register() -> None:
    """Add every command that this installation can run; name the extra that is missing for the others."""
    from sprachbund.commands import ask

    ask.register(app)
    if all(importlib.util.find_spec(name) for name in _WORKERS):
        from sprachbund.commands import corpora, demo, jobs

        corpora.register(app)
        jobs.register(app)
        demo.register(app)
    else:
        for name in ("corpora", "plan", "fill", "pretrain", "demo"):
            app.command(name, help="needs `pip install sprachbund[workers]`")(_needs_workers)


def _needs_workers() -> None:
    Console(stderr=True).print("this command trains; install it with [bold]pip install 'sprachbund[workers]'[/]")
    raise typer.Exit(1)
