"""Pictures of a job: who reads whose boards, what fine-tuning does to each language, boards as people draw them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import altair as alt
import numpy as np
import pandas as pd
import pyarrow as pa

from matrices.plots import AS_DRAWN, Figure, save
from matrices.plots.style import SOFT, from_svg, styled
from matrices.whole_file import whole_file
from workers.estimates import Estimate
from workers.othello.board import lengths, random_games, square_name
from workers.othello.job import LaboratoryJob, Run
from workers.othello.probes import Probe, board_states, move_states
from workers.othello.run import languages_of, load_pretrained, opening_of, pretrained_of
from workers.othello.summary import OthelloSummary

VERDICTS = {
    "legal": ("legal, in its language", "#08519c"),
    "legal_either": ("legal, in a language that fits so far", "#6baed6"),
    "legal_elsewhere": ("legal, in another language", "#f1a340"),
    "illegal": ("illegal, in its language", "#999999"),
    "illegal_elsewhere": ("illegal, in another language", "#b35806"),
    "no_move": ("no move", "#222222"),
}
_GAMES = 400
"""Games that fit the probe of the picture of boards."""
_SQUARE, _GAP = 34, 26


def draw(job: LaboratoryJob, numbers: pa.Table, summary: OthelloSummary, figure: Figure = AS_DRAWN) -> list[Path]:
    """All pictures of a job, in ``pictures`` of its folder; boards have no title."""
    folder, frame = job.out / "pictures", numbers.to_pandas()
    pictures = {"probes": probe_matrices(frame, summary), "moves": move_curves(frame, summary)}
    made = [save(chart, folder / f"{name}.{figure.format}", figure) for name, chart in pictures.items()]
    first = {run.name: run for run in reversed(job.runs()) if pretrained_of(run, job.out).is_file()}
    runs = [first[name] for name in job.conditions if name in first]
    if runs:
        made.append(folder / f"boards.{figure.format}")
        with whole_file(made[-1]) as temporary:
            temporary.write_bytes(from_svg(boards(runs, job.out, summary.layer), figure.format, figure.width))
    return made


def probe_matrices(frame: pd.DataFrame, summary: OthelloSummary) -> alt.VConcatChart:
    """A matrix a condition: the language that the probe was fitted on down, the language it reads across."""
    chosen = frame[
        (frame["measure"] == "probe")
        & (frame["layer"] == summary.layer)
        & (frame["probe"] == "two_layer")
        & (frame["colours"] == "absolute")
        & (frame["pooling"] == "last")
        & (frame["split"] == "game")
        & (frame["model"] == "pretrained")
    ]
    chosen = chosen.assign(read=np.where(chosen["aligned"].astype(bool), "rotated onto it", "as it is"))
    means = chosen.groupby(["condition", "read", "source", "target"])["value"].mean().reset_index()
    base = alt.Chart(means).encode(
        x=alt.X("target:N", title="reads", axis=alt.Axis(labelAngle=0)), y=alt.Y("source:N", title="fitted on")
    )
    low = float(summary.runs["majority"].mean())
    colour = alt.Color("value:Q", title="accuracy", scale=alt.Scale(scheme="viridis", domain=[low, 1], clamp=True))
    cells = base.mark_rect().encode(color=colour)
    bright = low + 0.55 * (1 - low)
    ink = alt.condition(f"datum.value > {bright}", alt.value("#000"), alt.value("#fff"))
    texts = base.mark_text(fontSize=11).encode(text=alt.Text("value:Q", format=".2f"), color=ink)
    chart = (
        alt.layer(cells, texts, width=80, height=80)
        .facet(
            column=alt.Column("condition:N", sort=list(summary.conditions), title=None),
            row=alt.Row("read:N", title=None),
        )
        .properties(
            title=alt.TitleParams(
                "Squares that a two-layer probe reads rightly",
                subtitle=f"layer {summary.layer}, absolute colours, games that did not fit it; "
                f"every square's commonest state: {low:.2f}",
            )
        )
    )
    return styled(alt.vconcat(chart))


def move_curves(frame: pd.DataFrame, summary: OthelloSummary) -> alt.VConcatChart:
    """What becomes of moves while a model is fine-tuned in one language: stacked shares, panels by language."""
    moves = frame[frame["step"].notna()]
    target = np.where(moves["source"] == moves["target"], "the language learned", "the other languages")
    games = moves["games"].map({"held_out": "held-out games", "held_in": "games as in pretraining"})
    moves = moves.assign(panel=[f"{a}, {b}" for a, b in zip(target, games, strict=True)])
    means = moves.groupby(["condition", "panel", "step", "measure"])["value"].mean().reset_index()
    means["order"] = means["measure"].map({name: at for at, name in enumerate(VERDICTS)})
    means["verdict"] = means["measure"].map({name: label for name, (label, _) in VERDICTS.items()})
    scale = alt.Scale(domain=[label for label, _ in VERDICTS.values()], range=[shade for _, shade in VERDICTS.values()])
    areas = (
        alt.Chart(means)
        .mark_area()
        .encode(
            x=alt.X("step:Q", title="steps of fine-tuning"),
            y=alt.Y("value:Q", stack="zero", title="share of moves", scale=alt.Scale(domain=[0, 1])),
            color=alt.Color("verdict:N", title="the likeliest move is", scale=scale, sort=None),
            order="order:Q",
        )
    )
    spread = _spread(moves)
    bars = alt.Chart(spread).mark_rule(color="#fff", strokeWidth=1.5).encode(x="step:Q", y="low:Q", y2="high:Q")
    panels = [
        f"{a}, {b}"
        for b in ("held-out games", "games as in pretraining")
        for a in ("the language learned", "the other languages")
    ]
    both = [
        alt.layer(
            areas.transform_filter((alt.datum.condition == condition) & (alt.datum.panel == panel)),
            bars.transform_filter((alt.datum.condition == condition) & (alt.datum.panel == panel)),
            width=150,
            height=90,
            title=alt.TitleParams(
                condition if panel == panels[0] else "",
                subtitle=panel if condition == summary.conditions[0] else "",
                fontSize=12,
            ),
        )
        for condition in summary.conditions
        for panel in panels
    ]
    rows = [alt.hconcat(*both[at : at + len(panels)]) for at in range(0, len(both), len(panels))]
    title = alt.TitleParams(
        "What the likeliest move is, while the model learns whole games in one language",
        subtitle="white lines: 95% intervals over seeds of legal moves in the game's language",
    )
    return styled(alt.vconcat(*rows, title=title))


def boards(runs: Sequence[Run], folder: Path, layer: int) -> str:
    """An SVG: a board, and how a probe of language A reads it from the states of every language, a row a condition."""
    first = runs[0]
    rng = np.random.default_rng(first.seed)
    games = random_games(first.board, _GAMES, rng, opening=opening_of(first))
    half = int(lengths(games)[0]) // 2
    shown, rest = games[:1, :half], games[1:]
    truth = board_states(shown, first.board)["absolute"][-1].numpy()
    width = _SQUARE * first.board
    parts, top = [], 60.0
    for run in runs:
        model, vocabulary = load_pretrained(run, folder), languages_of(run)
        fitted = move_states(model, vocabulary, rest, 0, ("last",))["last"]
        probe = Probe.linear(fitted, board_states(rest, run.board)["absolute"])
        parts.append(_text(0, top - 8, run.name, weight="bold"))
        readings = {"the board": truth}
        for language, code in enumerate(run.condition.codes):
            seen = move_states(model, vocabulary, shown, language, ("last",))["last"]
            readings[f"read from {code}"] = probe.read(seen)[layer, -1].numpy()
        for column, (label, states) in enumerate(readings.items()):
            left = column * (width + _GAP)
            parts.append(_text(left, top + 10, label))
            parts.append(_board(states, truth, first.board, left, top + 18))
        top += width + 70
    names = " ".join(square_name(int(square), first.board) for square in shown[0])
    head = _text(0, 16, f"After {names}: the board, and what a linear probe fitted on A reads", size=14, weight="bold")
    columns = 1 + max(len(run.condition.types) for run in runs)
    across, down = f"{max(columns * (width + _GAP), 560)}", f"{top - 40:.0f}"
    size = f'width="{across}" height="{down}" viewBox="0 0 {across} {down}"'
    note = _text(0, 34, "red: read wrongly; legal moves are not shown", size=11)
    opening = f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif">'
    return f"{opening}{head}{note}{''.join(parts)}</svg>\n"


def _board(states: np.ndarray, truth: np.ndarray, size: int, left: float, top: float) -> str:
    """Green squares and round discs; a frame around what is not as it is in truth."""
    parts = []
    for square in range(size * size):
        x, y = left + square % size * _SQUARE, top + square // size * _SQUARE
        wrong = states[square] != truth[square]
        parts.append(f'<rect x="{x}" y="{y}" width="{_SQUARE}" height="{_SQUARE}" fill="#3a7d44" stroke="#1d3f22"/>')
        if states[square]:
            fill = "#111" if states[square] == 1 else "#fafafa"
            half = _SQUARE / 2
            parts.append(f'<circle cx="{x + half}" cy="{y + half}" r="{half - 4}" fill="{fill}" stroke="#111"/>')
        if wrong:
            inner = _SQUARE - 5
            parts.append(
                f'<rect x="{x + 2.5}" y="{y + 2.5}" width="{inner}" height="{inner}" fill="none" stroke="#d7191c" '
                'stroke-width="3"/>'
            )
    return "".join(parts)


def _spread(moves: pd.DataFrame) -> pd.DataFrame:
    """95% intervals of the share of legal moves in the game's language, where there are several seeds."""
    legal = moves[moves["measure"] == "legal"]
    each = legal.groupby(["condition", "panel", "step", "seed"])["value"].mean().reset_index()
    rows: list[Mapping[str, object]] = []
    for (condition, panel, step), group in each.groupby(["condition", "panel", "step"]):
        estimate = Estimate.of(list(group["value"]))
        if estimate.low is not None and estimate.high is not None:
            rows.append(
                {"condition": condition, "panel": panel, "step": step, "low": estimate.low, "high": estimate.high}
            )
    return pd.DataFrame(rows, columns=["condition", "panel", "step", "low", "high"])


def _text(x: float, y: float, text: str, *, size: int = 12, weight: str = "normal") -> str:
    return f'<text x="{x}" y="{y}" font-size="{size}" font-weight="{weight}" fill="{SOFT}">{text}</text>'
