"""Cold start: a language that no database knows has a model of its own, made of texts or of scores alone.

What texts share, and what databases say of kin, place and grammar, is much the same, and the latter says it better:
beside it texts add nothing. A model that has both learns next to nothing from texts, and of a language that no database
knows it would know nothing; nor does a model that gave kin the credit know which sources are good without. So such a
language has a model of its own, from what is known of it: texts, or scores alone ("reduced-feature models",
Saar-Tsechansky & Provost 2007). Codes are masked to that end: by a name that nobody knows, a language has no more.
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
    """The table that a model of one target is to be fitted to: without texts, or masked where no database knows it.

    Without what the encoder was pretrained on where that does not say whether it saw this target.
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
    """What a model of a table that ``shown_for`` gave expects, by the languages' codes and names."""
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
