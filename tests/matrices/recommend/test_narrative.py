"""The sentences of answers, all in one file: ``narratives.md`` beside this one, to be read by whoever changes a word.

    WRITE_GOLDEN=1 python -m pytest tests/matrices/recommend/test_narrative.py

writes it anew. Other tests look at verdicts and numbers, and at no sentence.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from matrices.cells import BASELINE, Cell, to_table
from matrices.recommend import Elsewhere, Recommendation, recommend
from matrices.recommend.prediction import ExpectedSet, Outlook
from tests.answers import INTERFERENCE, MakeCell, Run, drawn, expecting, expecting_of, runs

GOLDEN = Path(__file__).with_name("narratives.md")
ABOUT = """# The sentences of answers

Written by `WRITE_GOLDEN=1 python -m pytest tests/matrices/recommend/test_narrative.py`: the advice, then a line a
sentence.
"""


def test_answers_say_what_they_said(make_cell: MakeCell) -> None:
    said = "\n".join([ABOUT, *(f"## {name}\n\n{sentences(answer)}" for name, answer in answers(make_cell))])
    if os.environ.get("WRITE_GOLDEN"):
        GOLDEN.write_text(said, encoding="utf-8")

    assert said == GOLDEN.read_text(encoding="utf-8")


def sentences(answer: Recommendation) -> str:
    text = f"{answer.advice}\n{answer.basis}"
    return re.sub(r"(?<=[.)]) (?=[A-Z0-9])", "\n", text) + "\n"


def answers(make_cell: MakeCell) -> Iterator[tuple[str, Recommendation]]:
    yield from measured(make_cell)
    yield from helping(make_cell)
    yield from published(runs(make_cell))
    yield from predicted(runs(make_cell))
    yield from besides(runs(make_cell))


def of(cells: list[Cell], target: str = "yor", **more: object) -> Recommendation:
    return recommend(to_table(cells), target, **more)


def measured(make_cell: MakeCell) -> Iterator[tuple[str, Recommendation]]:
    run = runs(make_cell)
    three = [run(s, right, seed=r) for s, right in (("deu", 70), ("nld", 69), ("eng", 40)) for r in range(3)]
    yield "Three seeds, two sources tied, English third", of(three)
    yield "One source, one seed", of([run("deu", 70)])
    yield "Runs failed", of([run("deu", 70), *(make_cell(source="hin", status="failed", seed=r) for r in range(2))])
    yield "Seeds differ", of([*(run("deu", 60, seed=seed) for seed in range(3)), run("hin", 90, seed=1)])
    yield "A run on other items", of([run("deu", 70), run("eng", 60), run("hin", 55, of=60)])
    without = [replace(run("deu", 70, seed=seed), correct=None, total=None) for seed in range(3)]
    yield "Outcomes of items were not kept", of(without)
    yield "The encoder never saw the target", of([run("deu", 70)], pretrained={"deu", "eng"})
    five = [run(None, 95, composition=BASELINE, shots=5, seed=seed, cell_id=f"five-{seed}") for seed in (0, 1)]
    yield "Five labelled items beat the best source", of([*(run("deu", 70, seed=seed) for seed in (0, 1)), *five])


def helping(make_cell: MakeCell) -> Iterator[tuple[str, Recommendation]]:
    shares: dict[str, dict[str | None, float]] = {
        "A transfer language helps": {"deu": 0.7, "eng": 0.6, "hin": 0.5, "swa": 0.3, None: 0.5},
        "No transfer language helps": {"deu": 0.5, "eng": 0.3, "hin": 0.28, None: 0.52},
    }
    for name, given in shares.items():
        yield name, of(drawn(make_cell, given, **INTERFERENCE))
    half = tuple(int(item % 2) for item in range(400))
    same = [
        make_cell(source=source, seed=seed, correct=half, total=(1,) * 400, composition=composition, **INTERFERENCE)
        for source, composition in (("deu", "stack"), (None, BASELINE))
        for seed in range(3)
    ]
    yield "The only transfer language changes nothing", of(same)
    yield "A source beats the constant answer", of(drawn(make_cell, {"deu": 0.7, "eng": 0.31, "hin": 0.1, None: 0.3}))
    yield "No source beats the constant answer", of(drawn(make_cell, {"deu": 0.31, "hin": 0.1, None: 0.3}))
    yield "Without a baseline", of(drawn(make_cell, {"deu": 0.7, "eng": 0.3}))


def published(run: Run) -> Iterator[tuple[str, Recommendation]]:
    def imported(source: str | None, score: float, items: int, **given: object) -> Cell:
        where = "imported from table.csv (sha256 0123abc): Doe 2022"
        cell = replace(run(source, 50, **given), score=score, n_items=items, correct=None, total=None)
        return replace(cell, device="imported", provenance=where)

    yield "A published table, on how many items is not known", of([imported("deu", 0.7, 0), imported("eng", 0.3, 0)])
    baseline = imported(None, 0.9, 50, composition=BASELINE)
    yield "A published baseline that no source beats", of([imported("deu", 0.2, 50), baseline])
    cells = [imported("deu", 0.7, 0), imported("eng", 0.3, 0, target="wol")]
    yield "Published scores among predictions", of(cells, predict=expecting(deu=0.7, eng=0.4))


def predicted(run: Run) -> Iterator[tuple[str, Recommendation]]:
    cells = [run("deu", 70), run("hau", 60, target="wol")]
    two = expecting(hau=0.6, deu=0.5)
    yield "Nothing was measured on the target", of(cells, "ibo", predict=two)
    yield "The encoder saw all targets but this one", of(cells, "ibo", predict=two, pretrained={"yor", "wol"})
    yield "The encoder saw some targets, and not this one", of(cells, "ibo", predict=two, pretrained={"yor"})
    three = expecting(deu=0.7, hau=0.6, zul=0.2)
    yield "A source is asked about that nobody measured", of(cells, predict=three, asked=("zul",))
    listed = ("hau", "ibo", "swa")
    unrelated = expecting_of(listed, hau=0.6, ibo=0.5, swa=0.4, pol=0.55, ces=0.58, slk=0.2, eng=0.7)
    yield "No source is related", of([run(s, 60, target="wol") for s in listed], "hsb", predict=unrelated)
    better = expecting_of(("pol", "rus"), pol=0.6, rus=0.5, ces=0.65, slk=0.55)
    slavic = [run(source, 60, target="wol") for source in ("pol", "rus")]
    yield "A relative that nobody measured is expected to do better", of(slavic, "hsb", predict=better)
    elsewhere = [run(s, right, target="wol") for s, right in (("hau", 80), ("eng", 50), ("ibo", 60))]
    easy = expecting({"hau": 1.4, "ibo": 0.3}, ibo=0.6, hau=0.4, eng=0.3)
    yield "English and the easy choices stand beside", of(elsewhere, predict=easy)


def besides(run: Run) -> Iterator[tuple[str, Recommendation]]:
    """Sets of sources, and what other matrices have."""
    cells = [run("deu", 70), run("hau", 60, target="wol")]

    def with_set(gain: float) -> Callable[..., Outlook]:
        both = ExpectedSet(sources=("hau", "deu"), score=0.6 + gain, gain=gain, shares=(0.6, 0.4))
        return lambda target, asked: replace(expecting(hau=0.6, deu=0.5)(target, asked), sets=(both,))

    yield "Two sources are worth more than one", of(cells, "ibo", predict=with_set(0.05))
    yield "One source is enough", of(cells, "ibo", predict=with_set(0.001))
    other = Elsewhere(
        matrix="ner-tiny",
        kind="zero_shot",
        task="ner",
        encoder="tiny",
        source="yor",
        name="Yoruba",
        measured=True,
        score=0.7,
    )
    nearer = replace(other, matrix="pos-large", measured=False, score=None)
    others = of(cells, "ibo", predict=expecting(hau=0.6, deu=0.5), others=lambda target, nearest: (other, nearer))
    yield "Other matrices know more of the target", others
