from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import pytest

from matrices.arrays import Bools
from matrices.languages import kinship
from matrices.recommend.predicted import fit
from matrices.recommend.predicted.calibration import FEW, Widths, draws, mass, mass_needed, shares_of, shortlist, width
from matrices.scores import Floats, ScoreTable


def test_widths_learned_from_some_targets_hold_the_stated_share_of_others() -> None:
    """Errors of a target share its luck, and are twice as large as the model believes."""
    random = np.random.default_rng(0)
    luck = random.normal(size=(400, 1))
    ratios = np.abs(2 * (luck + random.normal(size=(400, 30))) / np.sqrt(2))

    learned = width(list(ratios[:200]), 0.9)

    assert (ratios[200:] <= learned).mean() == pytest.approx(0.9, abs=0.03)


def test_widths_learned_from_few_targets_are_not_too_narrow_for_others() -> None:
    """What one target's errors share makes ten targets' quantile a guess, and mostly too small a one."""
    random = np.random.default_rng(0)
    held = []
    for _ in range(400):
        luck = random.normal(size=(30, 1))
        ratios = np.abs(luck + random.normal(size=(30, 30)))
        held.append((ratios[10:] <= width(list(ratios[:10]), 0.9)).mean())

    assert 0.9 <= np.mean(held) <= 0.94


def test_shortlists_learned_from_some_targets_hold_the_best_of_others() -> None:
    """The model believes in half the noise that there is."""
    random = np.random.default_rng(0)

    def target() -> tuple[np.ndarray, np.ndarray, int]:
        mean = random.normal(size=12)
        shares = shares_of(draws(mean, np.zeros((12, 12)), np.full(12, 0.25)))
        return shares, mean, int((mean + random.normal(size=12)).argmax())

    learned = mass([mass_needed(*target()) for _ in range(200)], 0.9)
    held = [best in shortlist(shares, mean, learned) for shares, mean, best in (target() for _ in range(200))]

    assert np.mean(held) == pytest.approx(0.9, abs=0.06)


def test_the_probability_of_being_best_is_that_of_the_draws() -> None:
    shares = shares_of(draws(np.array([1.0, 0.0, -9.0]), np.zeros((3, 3)), np.array([0.5, 0.5, 0.5])))

    assert shares[0] == pytest.approx(0.841, abs=0.05)
    assert shares[2] == 0


def test_sources_that_move_together_are_told_apart_by_their_means() -> None:
    shares = shares_of(draws(np.array([1.0, 0.0]), np.full((2, 2), 25.0), np.zeros(2)))

    assert shares.tolist() == [1, 0]


def test_of_too_few_targets_to_vouch_for_it_nobody_is_left_out() -> None:
    assert mass([0.2] * 8, 0.9) == 1
    assert mass([0.2] * 8 + [0.6], 0.9) == 0.6

    shares, mean = np.array([0.0, 0.99, 0.01, 0.0]), np.array([0.3, 0.9, 0.5, 0.1])
    assert shortlist(shares, mean, mass([0.2] * 8, 0.9)) == [1, 2, 0, 3]


LANGUAGES = """
afr bul ces dan deu eng est fin fra hin ita nld pol por rus spa swe tur ukr urd
"""
CODES = tuple(LANGUAGES.split())


KNOWN, NEW = np.array([True]), np.array([False])


def test_between_counts_that_were_learned_a_width_lies_between_theirs() -> None:
    widths = Widths(new_target=9.0, few=np.array([3.0, 2.5, 2.0]), many=1.8, new_source=1.8)

    assert [widths.of(count, KNOWN).item() for count in (0, 1, *FEW, 32, 100)] == [9, 3, 3, 2.5, 2, 1.8, 1.8]
    assert 2.5 < widths.of(3, KNOWN).item() < 3.0
    assert replace(widths, few=np.full(3, np.nan)).of(5, KNOWN).item() == 1.8


def test_a_source_that_nobody_measured_has_wider_intervals_never_narrower_ones() -> None:
    widths = Widths(new_target=9.0, few=np.array([3.0, 2.5, 2.0]), many=2.0, new_source=3.0)

    assert widths.of(100, NEW).item() == 3.0
    assert widths.of(2, NEW).item() == 4.5
    assert replace(widths, new_source=1.0).of(100, NEW).item() == 2.0
    assert replace(widths, many=0.0).of(100, NEW).item() == 0.0


def table_of(scores: Floats) -> ScoreTable:
    return ScoreTable(CODES, CODES, scores).without_selves()


def held(table: ScoreTable, hidden: Bools, target: str, sources: Iterable[int]) -> Bools:
    """Whether scores of sources, by row, are within the intervals of a model that is not shown those ``hidden``."""
    rows = list(sources)
    model = fit(replace(table, scores=np.where(hidden, np.nan, table.scores)))
    low, high = model.predict(target, [table.sources[row] for row in rows]).intervals.T
    truth = table.scores[rows, table.targets.index(target)]
    return (low <= truth) & (truth <= high)


@pytest.mark.parametrize("few", FEW)
def test_intervals_hold_what_they_say_where_few_scores_of_a_target_are_measured(few: int) -> None:
    random = np.random.default_rng(1)
    kin = np.array([[kinship(source, target) for target in CODES] for source in CODES])
    # Targets differ in how far apart their sources are, which few scores tell little of.
    apart = np.exp(random.normal(0, 0.5, size=len(CODES)))
    scores = 50 + apart * (4 * random.normal(size=(len(CODES), 1)) + 3 * kin + 2 * random.normal(size=kin.shape))
    table = table_of(scores)
    found = []
    for column in range(0, len(CODES), 2):
        rows = random.permutation(np.flatnonzero(np.isfinite(table.scores[:, column])))[few:]
        hidden = np.zeros(scores.shape, dtype=bool)
        hidden[rows, column] = True
        found.append(held(table, hidden, CODES[column], rows.tolist()))

    assert 0.82 <= np.concatenate(found).mean() <= 0.97


def test_intervals_hold_what_they_say_of_sources_that_nobody_measured() -> None:
    random = np.random.default_rng(2)
    # Sources differ by more than any feature says, which shows once one of their scores is known.
    scores = 50 + 4 * random.normal(size=(len(CODES), 1)) + 2 * random.normal(size=(len(CODES), len(CODES)))
    table = table_of(scores)
    found = []
    for row in range(0, len(CODES), 2):
        hidden = np.zeros(scores.shape, dtype=bool)
        hidden[row] = True
        model = fit(replace(table, scores=np.where(hidden, np.nan, table.scores)))
        for column in np.flatnonzero(np.isfinite(table.scores[row])):
            [[low, high]] = model.predict(CODES[column], [CODES[row]]).intervals
            found.append(low <= table.scores[row, column] <= high)

    assert 0.82 <= np.mean(found) <= 0.97
