"""How far to trust a recommendation on a matrix: every method ranks the sources of targets that it is not shown."""

from matrices.backtest.methods import Skipped, methods_for
from matrices.backtest.protocol import Forecast, Judgement, Method, judge_all, judged_targets
from matrices.backtest.report import MethodReport, report

__all__ = [
    "Forecast",
    "Judgement",
    "Method",
    "MethodReport",
    "Skipped",
    "judge_all",
    "judged_targets",
    "methods_for",
    "report",
]
