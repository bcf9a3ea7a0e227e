"""The commands that answer from measured matrices: matrices, recommend, export.

What predicts is imported by the command itself: the others need not wait for it.
"""

from __future__ import annotations

import contextlib
import csv
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.box import SIMPLE
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table

from matrices.bundled import store_or_box
from matrices.export import export
from matrices.languages import UnknownLanguageError, name_of
from matrices.reading import Reader
from sprachbund.commands.arguments import COLOURS, Composition, CreditsOption, JsonOption, Selection, StoreOption
from sprachbund.text_overlaps import CorporaOption, overlaps_in

if TYPE_CHECKING:
    from matrices.recommend import Question, RankedSource, Recommendation, Score

_PIPED = 200


def matrices(store: StoreOption = None, as_json: JsonOption = False, with_credits: CreditsOption = False) -> None:
    """List the matrices of a store, with versions."""
    reader = store_or_box(store)
    infos = reader.matrices()
    if as_json:
        print(json.dumps({"matrices": [asdict(info) for info in infos]}))
        return
    table = Table(box=SIMPLE, title=f"Matrices at version {reader.version}")
    for name in ("matrix", "task"):
        table.add_column(name, overflow="fold")
    for name in ("cells", "sources", "targets"):
        table.add_column(name, justify="right", no_wrap=True)
    for info in infos:
        table.add_row(info.matrix, info.task, *map(str, (info.cells, info.sources, info.targets)))
    # Names are to be copied, and what reads a pipe has no edge to fold them at.
    console = Console(width=None if sys.stdout.isatty() else _PIPED)
    console.print(table)
    say_measured_on(console, reader, with_credits)


def recommend(
    task: Annotated[str, typer.Option(help="A task, as `sprachbund matrices` lists them.")],
    target: Annotated[
        str | None, typer.Option(help="A language: ISO 639 code, BCP-47 tag, or a name of it.", show_default=False)
    ] = None,
    targets: Annotated[
        Path | None,
        typer.Option(help="A CSV file of languages, one a line or in a column `target`, to be answered."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="With --targets: write the table here (.csv, .parquet, .arrow).")
    ] = None,
    items: Annotated[
        int | None, typer.Option(min=1, help="A budget of training items: how many of each source of a set.")
    ] = None,
    store: StoreOption = None,
    k: Annotated[int, typer.Option("-k", min=1, max=100, help="How many sources to rank.")] = 5,
    matrix: Annotated[str | None, typer.Option(help="Answer from this matrix.")] = None,
    kind: Annotated[str | None, typer.Option(help="zero_shot or interference.")] = None,
    source: Annotated[
        list[str] | None, typer.Option(help="Rank this language too, whether or not it was measured; repeatable.")
    ] = None,
    encoder: Annotated[str | None, typer.Option(help="Answer from a matrix of this encoder.")] = None,
    composition: Composition = None,
    selection: Selection = None,
    corpora: CorporaOption = None,
    shots: Annotated[
        bool, typer.Option("--shots", help="Show how many labelled items of the target beat the best source.")
    ] = False,
    as_json: JsonOption = False,
    with_credits: CreditsOption = False,
) -> None:
    """Rank the languages to transfer from, for a task in a language, measured or not."""
    from matrices.recommend import Question, ask, predictor, to_json

    if (target is None) == (targets is None):
        raise typer.BadParameter("name one language with --target, or a file of them with --targets")
    if out is not None and targets is None:
        raise typer.BadParameter("goes with --targets", param_hint="--out")
    reader = store_or_box(store)
    question = Question(
        task=task,
        target=target or "",
        k=k,
        matrix=matrix,
        kind=kind,
        sources=tuple(source or ()),
        encoder=encoder,
        composition=composition,
        selection=selection,
        shots=shots,
    )
    if targets is not None:
        _several(reader, question, targets, out, as_json, corpora)
        return
    overlaps = None if corpora is None else overlaps_in(corpora, _languages(reader, question))
    with Console(stderr=True).status("reading, and where the target was not measured, predicting"):
        answer = ask(reader, question, partial(predictor, overlaps=overlaps))
    if shots and answer.shots is None:
        raise NoShotsError(
            f"{answer.matrix} has nothing that learned from labelled items of {answer.target.name}; measure it: "
            "`shots: [0, 5, 50]` in the job"
        )
    if as_json:
        print(to_json(answer).decode())
        return
    console = Console()
    console.print(_ranking(answer))
    if shots:
        console.print(_curves(answer))
    console.print(answer.advice, style="bold", markup=False, highlight=False)
    console.print(answer.basis)
    if items is not None:
        console.print(_allotted(answer, items), markup=False, highlight=False)
    if overlaps is not None and answer.knowledge is not None and "corpora" not in answer.knowledge.known:
        why = f"{corpora} has none"
        if answer.target.code in overlaps.codes:
            known = "genealogy" in answer.knowledge.known
            why = "databases know it, and say more" if known else "no other language's texts have a word of them"
        console.print(f"[yellow]note:[/] texts of {answer.target.name} are not used: {escape(why)}", highlight=False)
    say_measured_on(console, reader, with_credits)


def _several(
    reader: Reader, question: Question, targets: Path, out: Path | None, as_json: bool, corpora: Path | None
) -> None:
    """Answers about the languages of a file, as a table or an object, to a file or to be seen."""
    from matrices.export import must_be_writable, write_table
    from matrices.recommend import ask, remembering
    from sprachbund.many_targets import SCHEMA, as_table, ask_each, targets_in

    if out is not None:
        must_be_writable(out)
    asked = targets_in(targets)
    overlaps = None if corpora is None else overlaps_in(corpora, _languages(reader, question, asked))
    predictor = remembering(overlaps)
    with Progress(
        TextColumn("targets"), BarColumn(), MofNCompleteColumn(), console=Console(stderr=True), transient=True
    ) as progress:
        each = progress.track(asked, description="targets")
        answers = ask_each(each, lambda target: ask(reader, replace(question, target=target), predictor))
    if out is not None:
        write_table(as_table(answers), out)
    if as_json:
        said = [
            {"target": one.target, "answer": None if one.answer is None else asdict(one.answer), "problem": one.problem}
            for one in answers
        ]
        print(json.dumps({"answers": said}))
    elif out is not None:
        Console().print(f"[bold]{escape(str(out))}[/]: {len(answers)} targets", highlight=False)
    else:
        writer = csv.DictWriter(sys.stdout, SCHEMA.names)
        writer.writeheader()
        writer.writerows(as_table(answers).to_pylist())


def _allotted(answer: Recommendation, items: int) -> str:
    """How many of so many training items each source of the best set should have."""
    sets = [one for one in answer.sets if one.shares]
    if not sets:
        return "Nothing is predicted here, so that no set can be told from the best single source."
    said = []
    for one in sets:
        parts = ", ".join(
            f"{name_of(code)} {round(share * items)}" for code, share in zip(one.sources, one.shares, strict=True)
        )
        said.append(f"{items} items over {len(one.sources)}: {parts} ({one.gain:+.3f} expected over the best alone).")
    return " ".join(said)


class NoShotsError(LookupError):
    """A matrix in which nothing learned from labelled items of a target."""


def _curves(answer: Recommendation) -> Table:
    """Scores by the number of labelled items, on top of the best source and without any."""
    found = answer.shots
    assert found is not None
    table = Table(
        box=SIMPLE, title=f"Labelled items of {answer.target.name}; {found.source} without any: {found.score:.3f}"
    )
    table.add_column("learned from")
    for name in ("items", "draws", "score", "difference", "95% interval"):
        table.add_column(name, justify="right")
    for what, curve in ((f"{found.source} and them", found.with_source), ("them alone", found.alone)):
        for point in curve.points if curve is not None else ():
            low, high = point.interval
            values = f"{point.score:.3f}", f"{point.difference:+.3f}", f"{low:+.3f} to {high:+.3f}"
            table.add_row(what, str(point.shots), str(point.draws), *values)
    return table


def export_matrix(
    matrix: Annotated[str, typer.Argument(help="A matrix, as `sprachbund matrices` lists them.")],
    out: Annotated[Path, typer.Option(help="File to write: .parquet, .csv or .arrow.")],
    store: StoreOption = None,
    version: Annotated[int | None, typer.Option(min=0, help="A version; left out: the newest.")] = None,
) -> None:
    """Write one version of a matrix as one file."""
    written = export(store_or_box(store), matrix, out, version)
    Console().print(f"[bold]{escape(str(written))}[/] ({written.stat().st_size:,} bytes)", highlight=False)


def _languages(reader: Reader, question: Question, targets: Sequence[str] = ()) -> set[str]:
    """Those of the question, or of the ``targets`` in place of its own, and of every matrix that may answer it.

    A target that nobody knows is left out where there are several.
    """
    from matrices.recommend.names import code_of

    of_task = [info.matrix for info in reader.matrices() if info.task == question.task]
    tables = [reader.cells(matrix, columns=["source", "target"]) for matrix in of_task]
    known = {code for table in tables for side in table.columns for code in side.drop_null().to_pylist()}
    asked = {code_of(one, known) for one in (*([] if targets else [question.target]), *question.sources)}
    for one in targets:
        with contextlib.suppress(UnknownLanguageError):
            asked.add(code_of(one, known))
    return known | asked


def _ranking(answer: Recommendation) -> Table:
    title = f"{answer.task} in {answer.target.name}: transfer from\n{answer.matrix}, version {answer.version}"
    table = Table(box=SIMPLE, padding=(0, 1), pad_edge=False, title=title)
    table.add_column("", justify="right", no_wrap=True, min_width=2)
    table.add_column("source", overflow="fold", min_width=16)
    # Predictions have no seeds to spread over, and where changes are shown there is no room.
    spread = answer.kind != "interference" and any(source.sd is not None for source in answer.sources)
    interval = "interval" if answer.predicted else "95% interval"
    for name in ("score", *(["SD"] if spread else []), interval, "best?"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    shown = {source.source for source in answer.sources}
    for source in [*answer.sources, *(one for one in answer.asked if one.source not in shown)]:
        style = "bold" if answer.predicted and source.source in answer.shortlist else None
        table.add_row(str(source.rank), *_line(source, spread), _note(source, answer.kind), style=style)
    table.add_section()
    beside = answer.comparison
    for label, ranked in (
        ("English", beside.english),
        ("popular", beside.best_average),
        ("nearest family", beside.nearest_family),
    ):
        if ranked is not None:
            table.add_row(str(ranked.rank), *_line(ranked, spread), label, style="dim")
    for label, score in (("the target itself", beside.in_language), ("baseline", beside.baseline)):
        if score is not None:
            table.add_row("", label, *_numbers(score, spread), "", "", style="dim")
    said = ["best?: the probability that it is the best of all"] if answer.shortlist else []
    if answer.predicted:
        said += ["bold: the 90% shortlist", "intervals: 95% of a measured score, 90% of a predicted one"]
    table.caption = "; ".join(said) or None
    return table


def _line(source: RankedSource, spread: bool) -> list[str]:
    best = "" if source.probability_best is None else f"{source.probability_best:.0%}"
    return [f"{source.name} ({source.source})", *_numbers(source, spread), best]


def _numbers(score: Score, spread: bool) -> list[str]:
    low, high = score.interval
    unknown = score.measured and not score.n_items and high - low >= 1
    interval = "not known" if unknown else f"{low:.3f} to {high:.3f}"
    deviation = "" if score.sd is None else f"{score.sd:.3f}"
    return [f"{score.score:.3f}", *([deviation] if spread else []), interval]


def _note(source: RankedSource, kind: str) -> str:
    """Whether it was predicted, and what it changes; of a transfer only where it is worse than a constant answer."""
    if not source.measured:
        return "predicted"
    if source.effect is not None and (kind == "interference" or source.effect.verdict == "harms"):
        return f"[{COLOURS[source.effect.verdict]}]{source.effect.verdict} {source.effect.difference:+.3f}[/]"
    return "tied with best" if source.tied_with_best and source.rank > 1 and source.n_items else ""


def say_measured_on(console: Console, reader: Reader, with_credits: bool = False) -> None:
    """Of the box when and with what it was measured, and on which corpora, or on how many."""
    about = reader.provenance
    if about is None:
        return
    unfree = sum("NC" in credit.licence for credit in about.corpora)
    corpora = f"{len(about.corpora)} corpora, {unfree} of them non-commercial (`sprachbund matrices --credits`)"
    if with_credits:
        corpora = ", ".join(f"{credit.corpus} ({credit.licence})" for credit in about.corpora)
    text = f"From the box: measured {about.date} with {about.encoder} on {corpora}."
    console.print(text, style="dim", highlight=False, markup=False)
