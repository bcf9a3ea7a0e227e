from __future__ import annotations

import gc
import weakref
from dataclasses import replace

import numpy as np
import pytest

from matrices.recommend.predicted import fit
from matrices.recommend.predicted.explain import EXPLAINED, outlook
from matrices.recommend.prediction import NothingToPredictError
from matrices.scores import Floats, ScoreTable

LANGUAGES = """
afr bul ces dan deu eng est fin fra hin ita nld pol por rus spa swe tur ukr urd
"""
CODES = tuple(LANGUAGES.split())


@pytest.fixture
def table() -> ScoreTable:
    """Scores made of a source's quality, kinship, and noise: what the model can learn."""
    from matrices.languages import kinship

    random = np.random.default_rng(1)
    kin = np.array([[kinship(source, target) for target in CODES] for source in CODES])
    quality, level = random.normal(size=(len(CODES), 1)), random.normal(size=len(CODES))
    scores = 50 + 10 * level + 4 * quality + 5 * kin + random.normal(size=kin.shape)
    return ScoreTable(CODES, CODES, scores)


def places(values: Floats) -> list[int]:
    return np.argsort(-values).tolist()


def test_hidden_scores_do_not_reach_a_prediction(table: ScoreTable) -> None:
    other = replace(table, scores=table.scores.copy())
    other.scores[:, CODES.index("nld")] = 7.0
    other.scores[CODES.index("nld")] = -3.0

    one, two = (fit(given.hide("nld")).predict("nld") for given in (table, other))

    np.testing.assert_array_equal(one.mean, two.mean)
    np.testing.assert_array_equal(one.intervals, two.intervals)
    assert one.shortlist == two.shortlist


def test_two_fits_agree_to_the_last_digit(table: ScoreTable) -> None:
    one, two = (outlook(fit(table.hide("swe")), "swe", ["nob"]) for _ in range(2))

    assert one == two


def test_a_model_that_nobody_keeps_is_gone(table: ScoreTable) -> None:
    model = fit(table.hide("swe"))
    outlook(model, "swe")
    parts = [weakref.ref(part) for part in (model, model.learned, model.learned.design, model.learned.forest)]

    del model
    gc.collect()

    assert [part() for part in parts] == [None] * 4


def test_the_unit_of_the_scores_does_not_matter(table: ScoreTable) -> None:
    one = fit(table.hide("pol")).predict("pol")
    two = fit(replace(table, scores=table.scores / 100 - 3).hide("pol")).predict("pol")

    np.testing.assert_allclose(two.mean, one.mean / 100 - 3, rtol=1e-6)
    np.testing.assert_allclose(two.sd, one.sd / 100, rtol=1e-4)


def test_a_relative_that_transfers_well_is_ranked_before_a_stranger_that_does_not(table: ScoreTable) -> None:
    ranks = []
    for target in CODES[::3]:
        found = fit(table.hide(target)).predict(target)
        truth = {code: table.scores[CODES.index(code), CODES.index(target)] for code in found.sources}
        best = found.sources[int(found.mean.argmax())]
        ranks.append(sorted(truth.values(), reverse=True).index(truth[best]))

    assert np.mean(ranks) < 1.5


def test_measured_scores_stand_and_missing_ones_are_predicted_near_theirs(table: ScoreTable) -> None:
    held = []
    for missing in CODES[:10]:
        scores = table.scores.copy()
        at = CODES.index(missing), CODES.index("swe")
        truth, scores[at] = scores[at], np.nan
        found = fit(replace(table, scores=scores, errors=np.zeros(scores.shape))).predict("swe")

        assert found.measured.tolist() == [code != missing for code in found.sources]
        assert found.mean[found.sources.index("urd")] == table.scores[CODES.index("urd"), CODES.index("swe")]
        low, high = found.intervals[found.sources.index(missing)]
        assert high - low < np.ptp(table.scores[:, CODES.index("swe")])
        held.append(low < truth < high)
    assert sum(held) >= 8


def test_a_measured_score_is_drawn_towards_its_prediction_as_far_as_its_noise_warrants(table: ScoreTable) -> None:
    scores, at = table.scores.copy(), (CODES.index("dan"), CODES.index("swe"))
    scores[at] += 15  # A lucky run.
    drawn = []
    for error in (0.0, 1.0, 5.0, 50.0):
        errors = np.zeros(scores.shape)
        errors[at] = error
        found = fit(replace(table, scores=scores, errors=errors)).predict("swe")
        drawn.append((found.mean[found.sources.index("dan")], found.own_sd[found.sources.index("dan")]))

    means, spreads = zip(*drawn, strict=True)
    assert means[0] == scores[at]
    assert list(means) == sorted(means, reverse=True)
    assert abs(means[-1] - table.scores[at]) < 6
    assert list(spreads) == sorted(spreads)
    assert spreads[0] == 0
    assert spreads[-1] < 50


def test_the_noise_of_a_score_that_nobody_states_is_not_taken_for_none(table: ScoreTable) -> None:
    scores, at = table.scores.copy(), (CODES.index("dan"), CODES.index("swe"))
    scores[at] += 15

    found = fit(replace(table, scores=scores)).predict("swe")

    dan = found.sources.index("dan")
    assert table.scores[at] < found.mean[dan] < scores[at]
    assert found.own_sd[dan] > 0


def test_what_nobody_knows_is_predicted_with_a_wider_interval(table: ScoreTable) -> None:
    model = fit(table)
    found = model.predict("qaa", ["deu", "qab"])
    known = model.predict("isl", ["deu"])

    assert np.isfinite(found.mean).all()
    assert found.sd[1] > found.sd[0] > 0
    assert known.sd[0] < found.sd[0] * 1.5


def test_of_languages_that_nothing_is_known_of_the_sources_themselves_are_told_apart() -> None:
    scores = np.array([[1.0, 1.0, 2.0], [2.0, 2.0, 2.5], [3.0, 4.0, 4.0]])
    table = ScoreTable(("qaa", "qab", "qac"), ("qad", "qae", "qaf"), scores, None, {})
    predicted = fit(table).predict("qax")
    assert predicted.mean.tolist() == sorted(predicted.mean.tolist())
    assert predicted.best[2] > 0.5


def test_the_target_is_no_source_for_itself(table: ScoreTable) -> None:
    found = fit(table).predict("swe", ["swe", "deu", "deu"])

    assert found.sources == ("deu",)


def test_the_probabilities_of_being_the_best_sum_to_one(table: ScoreTable) -> None:
    found = fit(table.hide("fra")).predict("fra")

    assert found.best.sum() == pytest.approx(1)
    assert found.shortlist[0] == found.sources[int(found.best.argmax())]


def test_one_score_a_target_is_too_little() -> None:
    with pytest.raises(NothingToPredictError, match="two sources"):
        fit(ScoreTable(("eng", "deu"), ("swe",), np.array([[50.0], [np.nan]])))


def test_a_target_with_equal_scores_does_no_harm(table: ScoreTable) -> None:
    scores = table.scores.copy()
    scores[:, 3] = 50.0

    assert np.isfinite(fit(replace(table, scores=scores)).predict("nld").mean).all()


def test_a_prediction_says_what_it_rests_on(table: ScoreTable) -> None:
    expected = outlook(fit(table.hide("nld")), "nld").expected

    evidence = expected[0].rests_on
    assert all(0 < one.weight <= 1 for one in evidence)
    assert [one.weight for one in evidence] == sorted((one.weight for one in evidence), reverse=True)
    assert evidence[0].score == table.scores[CODES.index(expected[0].source), CODES.index(evidence[0].target)]


def test_where_the_best_were_all_measured_the_others_are_still_predicted(table: ScoreTable) -> None:
    scores = table.scores.copy()
    worst = int(np.nanargmin(scores[:, CODES.index("nld")]))
    scores[worst, CODES.index("nld")] = np.nan

    expected = outlook(fit(replace(table, scores=scores)), "nld").expected

    assert [one.source for one in expected].index(CODES[worst]) >= EXPLAINED
    assert not any(one.rests_on for one in expected)


@pytest.mark.parametrize("score", [0.7, 1.0])
def test_where_all_scores_are_alike_no_source_is_surely_the_best(score: float, capfd: pytest.CaptureFixture) -> None:
    found = fit(ScoreTable(CODES, CODES, np.full((len(CODES), len(CODES)), score))).predict("sco")

    assert found.best.max() < 0.2
    np.testing.assert_allclose(found.mean, score)
    # LAPACK complains by itself of a matrix without a row.
    assert "DPOTR" not in "".join(capfd.readouterr())


def test_what_is_uncertain_of_all_predictions_alike_counts_against_a_measured_score(table: ScoreTable) -> None:
    scores = table.without_selves().scores
    best = int(np.nanargmax(scores[:, CODES.index("nld")]))
    scores[np.arange(len(CODES)) != best, CODES.index("nld")] = np.nan

    found = fit(replace(table, scores=scores)).predict("nld")

    assert found.measured.sum() == 1
    unmeasured = ~found.measured
    np.testing.assert_allclose(found.own_sd[unmeasured], found.sd[unmeasured])
    # One score tells little of how high the others are.
    assert 0.1 < found.best[found.measured].item() < 0.95
