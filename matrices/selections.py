"""Selections: which weights of a training run, or of several, a cell was measured with, by the name it keeps.

| name | weights |
|---|---|
| ``last`` | at the end of the run |
| ``source_dev`` | the snapshot that is best on the source's dev split; ``source_dev(k)``: of all snapshots of k runs |
| ``averaged`` | the mean of the run's snapshots; ``averaged(m)``: of its last m |
| ``soup(k)`` | the mean of the run's k snapshots that are best on the source's dev split; ``soup(k, r)``: of r runs' |
| ``run_averaged(k)`` | the mean of k runs' ends; ``run_averaged(k, averaged)``: of their means, and so on |
| ``target_dev`` | the snapshot that is best on the *target's* dev split: an oracle, which nobody can deploy |

Snapshot averages, run averages and soups are those of Schmidt, Vulic and Glavas (2023, arXiv 2305.16834, 2310.10532).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, get_args

Rule = Literal["last", "source_dev", "averaged", "soup", "run_averaged", "target_dev"]
RULES: tuple[Rule, ...] = get_args(Rule)
_OF_ONE: tuple[Rule, ...] = ("last", "source_dev", "averaged")
"""What may be averaged over runs."""
_NAME = re.compile(r"(?P<rule>[a-z_]+)(?:\((?P<first>\d+)(?:, *(?P<second>\d+|[a-z_]+))?\))?")

LAST = "last"
ORACLE = "target_dev"


class SelectionError(ValueError):
    """A name that is of no selection, or a selection that may not be used so. Says what is allowed."""


@dataclass(frozen=True, slots=True)
class Selection:
    """A rule, over so many ``runs``. ``most`` is how many snapshots it takes at most, None for all.

    ``of`` is what ``run_averaged`` averages of each run.
    """

    rule: Rule
    runs: int = 1
    most: int | None = None
    of: Rule = "last"

    @property
    def is_oracle(self) -> bool:
        """Whether it sees labels of the target, which nobody has who needs a recommendation."""
        return self.rule == ORACLE

    @property
    def averages(self) -> bool:
        """Whether it is a mean of several states."""
        return self.rule in ("averaged", "soup", "run_averaged")

    @property
    def averages_runs(self) -> bool:
        """Whether it is a mean of weights of several runs, which must have learned under one head."""
        return self.runs > 1 and self.rule in ("soup", "run_averaged")

    @property
    def needs_snapshots(self) -> bool:
        """Whether it chooses among states of a run, and not only its end."""
        return self.rule not in ("last", "run_averaged") or (self.rule == "run_averaged" and self.of != "last")

    @property
    def needs_scores(self) -> bool:
        """Whether dev scores decide, or guard, what it takes."""
        return self.rule != "last"


def parse(name: str) -> Selection:
    """The selection of a name. Raises ``SelectionError``."""
    found = _NAME.fullmatch(name)
    if found is None or found["rule"] not in RULES:
        raise SelectionError(f"{name!r} is no selection; there are: {', '.join(_EXAMPLES)}")
    first, second = found["first"], found["second"]
    if first == "0" or second == "0":
        raise SelectionError(f"{name!r}: a number is 1 or more")
    match found["rule"], first, second:
        case "last" | "target_dev" | "source_dev" | "averaged" as rule, None, None:
            return Selection(rule)
        case "source_dev", str(runs), None:
            return Selection("source_dev", int(runs))
        case "averaged", str(most), None:
            return Selection("averaged", most=int(most))
        case "soup", str(most), None:
            return Selection("soup", most=int(most))
        case "soup", str(most), str(runs) if runs.isdecimal():
            return Selection("soup", int(runs), int(most))
        case "run_averaged", str(runs), None:
            return Selection("run_averaged", int(runs))
        case "run_averaged", str(runs), ("last" | "source_dev" | "averaged") as of:
            return Selection("run_averaged", int(runs), of=of)
    raise SelectionError(f"{name!r} is no form of {found['rule']}; there are: {', '.join(_EXAMPLES)}")


def is_oracle(name: str) -> bool:
    """Whether a cell's selection saw labels of its target. Names of other publications' selections did not."""
    return name.partition("(")[0] == ORACLE


def deployable(names: Iterable[str]) -> list[str]:
    """The selections that may be recommended or taken as default: all but the oracle."""
    return [name for name in names if not is_oracle(name)]


_EXAMPLES = (
    *("last", "source_dev", "source_dev(k)", "averaged", "averaged(m)", "soup(k)", "soup(k, r)"),
    *("run_averaged(k)", "run_averaged(k, averaged)", "run_averaged(k, source_dev)", "target_dev"),
)
