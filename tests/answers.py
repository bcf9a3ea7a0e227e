"""Cells of Yoruba, and what a model might say: what answers are made of in tests."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

import numpy as np

from matrices.cells import Cell
from matrices.recommend import Evidence, Expected, FeatureKind, FeatureWeight, Knowledge, Outlook

MakeCell = Callable[..., Cell]
Run = Callable[..., Cell]

EVIDENCE = Evidence(target="wol", name="Wolof", weight=0.4, score=0.5)
MISSING: tuple[FeatureKind, ...] = ("geography", "syntax", "phonology", "inventory", "corpora", "pretraining")
KIN = Knowledge(known=("genealogy", "script"), missing=MISSING)
SCRIPT = Knowledge(known=("script",), missing=("genealogy", *MISSING))

INTERFERENCE = {"kind": "interference", "matrix": "interference-pos-tiny"}
ITEMS = 400


def runs(make_cell: MakeCell) -> Run:
    """``run("deu", 70)``: a source right on the first 70 of 100 items of Yoruba."""

    def run(source: str | None, right: int, of: int = 100, **given: object) -> Cell:
        outcomes = tuple(int(item < right) for item in range(of))
        return make_cell(source=source, correct=outcomes, total=(1,) * of, **given)

    return run


def drawn(make_cell: MakeCell, shares: Mapping[str | None, float], target: str = "yor", **given: object) -> list[Cell]:
    """Cells of three seeds; a share of each source's items is right, drawn anew for every item and seed."""
    random = np.random.default_rng(sum(map(ord, target)))
    return [
        make_cell(
            source=source,
            target=target,
            seed=seed,
            correct=tuple(int(right) for right in random.random(ITEMS) < share),
            total=(1,) * ITEMS,
            composition="baseline" if source is None else "stack",
            **given,
        )
        for source, share in shares.items()
        for seed in range(3)
    ]


def expecting(
    averages: Mapping[str, float] = MappingProxyType({}), **scores: float
) -> Callable[[str, Sequence[str]], Outlook]:
    """What a model might say: these scores, give or take 0.1, and the two best on the shortlist."""

    def predict(target: str, asked: Sequence[str]) -> Outlook:
        best = sorted(scores, key=lambda source: -scores[source])
        expected = [
            Expected(
                source=source,
                score=scores[source],
                interval=(scores[source] - 0.1, scores[source] + 0.1),
                probability_best=(0.6, 0.3, 0.1)[min(place, 2)],
                average_z=averages.get(source),
                rests_on=(EVIDENCE,),
                knowledge=SCRIPT if source == "zul" else KIN,
            )
            for place, source in enumerate(best)
        ]
        features = (FeatureWeight(feature="family", weight=0.7),)
        return Outlook(expected=tuple(expected), shortlist=tuple(best[:2]), features=features)

    return predict


def expecting_of(listed: Sequence[str], **scores: float) -> Callable[[str, Sequence[str]], Outlook]:
    """As ``expecting``, of those ``listed`` and those asked about."""

    def predict(target: str, asked: Sequence[str]) -> Outlook:
        return expecting(**{code: score for code, score in scores.items() if code in {*listed, *asked}})(target, asked)

    return predict
