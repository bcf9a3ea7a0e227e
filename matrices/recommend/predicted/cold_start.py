"""Cold start: a language that no database knows has a model of its own, made of texts or of scores alone.

Shared texts say much the same as databases of kin, place and grammar, and say it worse: a model that has both learns
next to nothing from texts. Asked about a language that no database knows, such a model would know nothing, not even
which sources are good in general, since kin has the credit for that. So such a language has a model of its own, fitted
to what is known of it: texts, or scores alone ("reduced-feature models", Saar-Tsechansky & Provost 2007, Journal of
Machine Learning Research 8). Codes are masked for that model, so that databases know none of its languages.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from matrices.encoders import saw
from matrices.likeness.similarity import likeness_to
from matrices.recommend.names import named
from matrices.recommend.prediction import Outlook
from matrices.scores import ScoreTable

_MASK = "?"
_LITTLE = {"script"}
"""What is likely of any language, from its code alone."""


def shown_for(table: ScoreTable, target: str) -> ScoreTable:
    """The table to fit a target's model to: without texts, or masked where no database knows the target.

    What the encoder was pretrained on is left out where that does not say whether it saw this target.
    """
    if table.pretrained is not None and saw(table.pretrained, target) is None:
        table = replace(table, pretrained=None)
    known = _known(table, target)
    if table.overlaps is not None and (known or target not in table.overlaps.codes):
        table = replace(table, overlaps=None)
    return table if known else _masked(table)


def names_in(table: ScoreTable, codes: Iterable[str]) -> tuple[str, ...]:
    """What languages are called in a table that ``shown_for`` gave."""
    return tuple(_MASK + code for code in codes) if _is_masked(table) else tuple(codes)


def codes_of(names: Iterable[str]) -> tuple[str, ...]:
    """The languages that ``names_in`` was given."""
    return tuple(name.removeprefix(_MASK) for name in names)


def by_code(table: ScoreTable, outlook: Outlook) -> Outlook:
    """The same predictions with unmasked codes and names, of a model fitted to a table of ``shown_for``."""
    if not _is_masked(table):
        return outlook
    expected = []
    for source in outlook.expected:
        code, *targets = codes_of([source.source, *(evidence.target for evidence in source.rests_on)])
        rests_on = (
            replace(evidence, target=target, name=named(target).name)
            for evidence, target in zip(source.rests_on, targets, strict=True)
        )
        expected.append(replace(source, source=code, rests_on=tuple(rests_on)))
    sets = tuple(replace(expected_set, sources=codes_of(expected_set.sources)) for expected_set in outlook.sets)
    return replace(outlook, expected=tuple(expected), shortlist=codes_of(outlook.shortlist), sets=sets)


def _known(table: ScoreTable, target: str) -> bool:
    """Whether kin, place or grammar of a target is known, and of a source to hold it against."""
    like = likeness_to(target, tuple(code for code in table.sources if code != target))
    return any(np.isfinite(values).any() for name, values in like.items() if name not in _LITTLE)


def _is_masked(table: ScoreTable) -> bool:
    return table.sources[0].startswith(_MASK)


def _masked(table: ScoreTable) -> ScoreTable:
    overlaps = table.overlaps
    return replace(
        table,
        sources=tuple(_MASK + code for code in table.sources),
        targets=tuple(_MASK + code for code in table.targets),
        overlaps=overlaps and replace(overlaps, codes=tuple(_MASK + code for code in overlaps.codes)),
        pretrained=table.pretrained and frozenset(_MASK + code for code in table.pretrained),
    )
