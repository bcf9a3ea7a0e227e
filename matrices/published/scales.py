"""What the numbers of a published table are: shares or percents, scores or errors; never one taken for another."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from matrices.published.headers import plain
from matrices.published.lines import TableColumns, TableLine
from matrices.published.sheets import PublishedTableError

_ERRORS = {
    *("wer", "cer", "ter", "per", "der", "eer", "ppl", "perplexity", "loss", "nll", "error", "errors", "rmse", "mse"),
    *("mae", "bpc", "bpb", "surprisal"),
}
"""Metrics of which the lower is the better; one of these words in the name of a column or a metric tells."""
_NOT_ALONE = {"per", "error", "errors"}
"""Words that say so only as the whole name: ``score per language`` is no phoneme error rate."""
_GAP, _FEW = 5.0, 2
"""Shares and percents in one table leave a gap: nothing is so many times smaller than the next and yet above 0."""


def lower_is_better(name: str) -> bool:
    """Whether a metric, or a column, is by its name one of which the lower is the better."""
    words = plain(name).split("_")
    return words[-2:] == ["error", "rate"] or any(
        word in _ERRORS and (word not in _NOT_ALONE or len(words) <= 2) for word in words
    )


def check_scale(path: Path, columns: TableColumns, lines: Sequence[TableLine]) -> bool:
    """Whether a table says itself that its scores are in percent: by its header, or sign by sign.

    Raises ``PublishedTableError`` where some are and some are not, by their signs or by their size, and where scores
    are errors or lie below 0 and it was not asked for.
    """
    scored = [line for line in lines if line.score is not None]
    if not scored:
        return False
    names = columns.seeds or (columns.score or "",)
    if not columns.lower_is_better and (name := next(filter(lower_is_better, names), None)) is not None:
        problem = f"column {name!r} is of errors, by its name: the lower the better; say so with --lower-is-better"
        raise PublishedTableError(path, scored[0].number, problem)
    signs = {line.percent for line in scored}
    if len(signs) > 1:
        odd = next(line for line in scored if line.percent != scored[0].percent)
        problem = f"{odd.score:g} is {'in' if odd.percent else 'not in'} percent, others are not so; write all alike"
        raise PublishedTableError(path, odd.number, problem)
    if not columns.differences:
        for line in scored:
            if line.score is not None and line.score < 0:
                problem = f"{line.score:g} is below 0; --differences takes scores as differences, and as they are"
                raise PublishedTableError(path, line.number, problem)
    _refuse_mixed(path, scored)
    return signs == {True} or any("%" in name or "percent" in plain(name) for name in names)


def _refuse_mixed(path: Path, scored: Sequence[TableLine]) -> None:
    sizes = sorted(abs(line.score) for line in scored if line.score)
    shares, percents = [one for one in sizes if one <= 1], [one for one in sizes if one > 1]
    if len(shares) < _FEW or len(percents) < _FEW or percents[0] < _GAP * shares[-1]:
        return
    few = shares if len(shares) < len(percents) else percents
    line = next(line for line in scored if line.score and abs(line.score) in few)
    problem = (
        f"{line.score:g} is of another scale than most: {len(shares)} scores are shares up to {shares[-1]:g}, "
        f"{len(percents)} percents from {percents[0]:g}; write all alike, or keep some with --where COLUMN=VALUE"
    )
    raise PublishedTableError(path, line.number, problem)
