"""The tables of docs/othello.md: means over seeds with 95% intervals, of the numbers that `sprachbund othello` keeps.

python studies/othello_tables.py runs/othello-4x4/numbers.parquet
"""

from __future__ import annotations

import sys

import pyarrow.parquet as pq

from workers.othello.summary import OthelloSummary, summarise

BOARDS = ("own", "cross", "rotated", "untrained", "untrained_cross", "untrained_rotated", "leaky_cross", "cka")
HELD_OUT = (
    *("source_before", "source_after", "target_before", "target_after"),
    *("any_before", "any_after", "switched_after"),
)
HELD_IN = ("held_in_before", "held_in_after", "held_in_any_after")


def main() -> None:
    """Print Markdown."""
    summary = summarise(pq.read_table(sys.argv[1]))
    first = summary.conditions[0]
    print(f"Layer {summary.layer}; majority {summary.estimate(first, 'majority')}, ", end="")
    print(f"by move {summary.estimate(first, 'majority_by_move')}\n")
    for measures in (BOARDS, HELD_OUT, HELD_IN):
        _table(summary, measures)


def _table(summary: OthelloSummary, measures: tuple[str, ...]) -> None:
    print("| condition |", " | ".join(measures), "|")
    print("|---" * (1 + len(measures)) + "|")
    for condition in summary.conditions:
        print("|", " | ".join([condition, *(str(summary.estimate(condition, name)) for name in measures)]), "|")
    print()


if __name__ == "__main__":
    main()
