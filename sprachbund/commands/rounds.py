"""`fill --until-regret`: how things stand between rounds, and what a job knows when it stops."""

from __future__ import annotations

import dataclasses
import json
import re
from typing import TYPE_CHECKING

import typer
from rich.console import Console
from rich.markup import escape

from sprachbund.commands.arguments import shown

if TYPE_CHECKING:
    from workers.driver import Summary
    from workers.until_regret import Standing

_SHARE = re.compile(r"\s*(\d+(?:[.,]\d+)?)\s*(%?)\s*")


def share_of(given: str) -> float:
    """A share, from `3%` or `0.03`. Raises ``typer.BadParameter`` for anything that is none above 0 and below 1."""
    found = _SHARE.fullmatch(given)
    share = float(found[1].replace(",", ".")) / (100 if found[2] else 1) if found else 0.0
    if not 0 < share < 1:
        raise typer.BadParameter(f"{given!r} is no share of a score; write 3% or 0.03", param_hint="--until-regret")
    return share


def say_standing(standing: Standing) -> None:
    """Says how things stand in a line, before each round."""
    said = f"{escape(standing.matrix)}: {_standing(standing)}"
    Console(stderr=True).print(said, highlight=False, soft_wrap=True)


def say_rounds(summary: Summary, bound: float, store: str, as_json: bool) -> None:
    """Says what was measured, and what choices are expected to cost now; as JSON also which they are."""
    from workers.until_regret import SummaryOfRounds

    # Where every cell of the job was measured before, there was no round.
    standings = summary.standings if isinstance(summary, SummaryOfRounds) else ()
    if as_json:
        print(json.dumps({"standings": [], **dataclasses.asdict(summary), "until_regret": bound}))
        return
    console = Console()
    console.print(
        f"[green]{summary.measured} cells measured[/], {summary.found} found done, {summary.trained} adapters trained."
    )
    if summary.failed:
        console.print(f"[red]{summary.failed} cells failed[/]; run the same command again to retry them.")
    for standing in standings:
        enough = standing.regret is not None and standing.regret <= bound
        end = "" if enough else " [yellow]That is not yet below the bound.[/]"
        console.print(f"{escape(standing.matrix)}: {_standing(standing)}.{end}", highlight=False, soft_wrap=True)
    asking = f"sprachbund recommend --store {shown(store)} --task TASK --target LANGUAGE"
    console.print(f"Ask it: [bold]{escape(asking)}[/]", soft_wrap=True)


def _standing(standing: Standing) -> str:
    share = standing.measured / standing.cells if standing.cells else 0.0
    known = (
        "nothing to predict from yet"
        if standing.regret is None
        else f"choosing by what is known is expected to cost {standing.regret:.1%} of the best score"
    )
    return f"{standing.measured} of {standing.cells} cells measured ({share:.1%}); {known}"
