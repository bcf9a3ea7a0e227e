from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from matrices.cells import Cell, to_table
from matrices.recommend import (
    Knowledge,
    NothingToPredictError,
    Outlook,
    Recommendation,
    UnknownTargetError,
    recommend,
)
from matrices.recommend.prediction import shortlist
from tests.answers import EVIDENCE, KIN, MISSING, SCRIPT, MakeCell, Run, expecting, expecting_of, runs


@pytest.fixture
def run(make_cell: MakeCell) -> Run:
    return runs(make_cell)


def answer(
    cells: list[Cell], predict: Callable[..., Outlook] | None, target: str = "yor", **more: object
) -> Recommendation:
    return recommend(to_table(cells), target, predict=predict, **more)


def test_measured_and_predicted_sources_stand_in_one_ranking(run: Run) -> None:
    cells = [run("deu", 70), run("eng", 40), run("hau", 60, target="wol")]

    found = answer(cells, expecting(hau=0.6, deu=0.69, eng=0.42))

    assert [(source.source, source.measured, source.rank) for source in found.sources] == [
        ("deu", True, 1),
        ("hau", False, 2),
        ("eng", True, 3),
    ]
    assert (found.ranked, found.predicted, found.method) == (3, 1, "joint_item_bootstrap")


def test_a_measured_source_keeps_its_score_and_a_predicted_one_says_what_it_rests_on(run: Run) -> None:
    cells = [run("deu", 70), run("hau", 60, target="wol")]

    deu, hau = answer(cells, expecting(hau=0.6, deu=0.65)).sources

    assert (deu.score, deu.level, deu.seeds, deu.n_items, deu.rests_on) == (0.7, 0.95, 1, 100, ())
    assert (hau.score, hau.level, hau.seeds, hau.n_items, hau.rests_on) == (0.6, 0.9, 0, 0, (EVIDENCE,))
    assert (hau.sd, hau.effect, hau.interval) == (None, None, (0.5, 0.7))


def test_with_predictions_the_tied_are_those_on_the_shortlist(run: Run) -> None:
    cells = [run("deu", 70), run("eng", 69), run("hau", 60, target="wol")]

    found = answer(cells, expecting(hau=0.9, deu=0.7, eng=0.69))

    assert found.shortlist == ("hau", "deu")
    assert found.tied == ("hau", "deu")
    assert [source.probability_best for source in found.sources] == [0.6, 0.3, 0.1]


def test_a_target_nothing_was_measured_on_is_predicted_altogether(run: Run) -> None:
    cells = [run("deu", 70), run("hau", 60, target="wol"), run("deu", 50, target="wol")]

    found = answer(cells, expecting(hau=0.6, deu=0.5), target="ibo")

    assert (found.method, found.ranked, found.predicted, found.failed) == ("prediction", 2, 2, 0)
    assert (found.comparison.in_language, found.comparison.baseline) == (None, None)
    best = found.sources[0]
    assert (best.source, best.score, best.probability_best, best.rests_on) == ("hau", 0.6, 0.6, (EVIDENCE,))
    assert [feature.feature for feature in found.features] == ["family"]
    assert (found.shortlist, found.verdict.action) == (("hau", "deu"), "any_of")


def test_an_answer_says_whether_the_encoder_saw_its_target(run: Run) -> None:
    cells = [run("deu", 70), run("hau", 60, target="wol")]

    found = [
        answer(cells, expecting(hau=0.6, deu=0.5), target="ibo", pretrained=pretrained).pretrained
        for pretrained in ({"yor", "wol"}, {"yor", "ibo"}, None)
    ]

    assert found == [False, True, None]


def test_a_prediction_says_what_was_known_of_its_pair_and_the_answer_what_was_of_any(run: Run) -> None:
    cells = [run("deu", 70), run("hau", 60, target="wol")]

    found = answer(cells, expecting(deu=0.7, hau=0.6, zul=0.2), asked=("zul",))

    assert [source.knowledge for source in found.sources] == [None, KIN, SCRIPT]
    assert found.knowledge == Knowledge(known=("genealogy", "script"), missing=MISSING)


def test_what_was_measured_everywhere_needs_no_prediction(run: Run) -> None:
    def never(target: str, asked: Sequence[str]) -> Outlook:
        raise AssertionError("asked for a prediction")

    found = answer([run("deu", 70), run("eng", 40)], never)

    assert (found.predicted, found.features, found.knowledge) == (0, (), None)


def test_a_source_asked_about_is_shown_wherever_it_ranks(run: Run) -> None:
    cells = [run("deu", 70), run("eng", 40)]

    found = answer(cells, expecting(deu=0.7, eng=0.4, zul=0.2), k=1, asked=("zul",))

    assert [source.source for source in found.sources] == ["deu"]
    assert [(source.source, source.rank, source.measured) for source in found.asked] == [("zul", 3, False)]


def test_the_easy_choices_stand_beside_with_their_places(run: Run) -> None:
    elsewhere = [
        run(source, right, target=target)
        for target in ("wol", "ewe")
        for source, right in (("deu", 40), ("eng", 50), ("hau", 80), ("ibo", 60), ("swa", 30))
    ]

    beside = answer(
        elsewhere, expecting({"hau": 1.4, "ibo": 0.3, "swa": -0.8}, ibo=0.6, swa=0.5, hau=0.4, eng=0.3, deu=0.2)
    ).comparison

    assert beside.english is not None
    assert (beside.english.rank, beside.english.measured) == (4, False)
    assert beside.best_average is not None
    assert (beside.best_average.source, beside.best_average.rank) == ("hau", 3)
    assert beside.nearest_family is not None
    assert beside.nearest_family.source == "ibo"  # Niger-Congo, as is Swahili, and the better of the two on average.


def test_where_nothing_can_be_predicted_what_was_measured_remains(run: Run) -> None:
    def unable(target: str, asked: Sequence[str]) -> Outlook:
        raise NothingToPredictError("two targets are too few")

    found = answer([run("deu", 70), run("hau", 60, target="wol")], unable)

    assert [source.source for source in found.sources] == ["deu"]
    with pytest.raises(UnknownTargetError, match="nothing can be predicted: two targets are too few"):
        answer([run("deu", 70)], unable, target="ibo")


def test_how_probably_each_is_the_best_follows_from_items_and_seeds(run: Run) -> None:
    cells = [run(s, right, seed=r) for s, right in (("deu", 70), ("nld", 69), ("eng", 40)) for r in range(3)]

    found = answer(cells, None)

    probable = {source.source: source.probability_best for source in found.sources}
    assert sum(value or 0 for value in probable.values()) == pytest.approx(1)
    assert (probable["deu"] or 0) > (probable["nld"] or 0) > (probable["eng"] or 0)
    assert found.shortlist == ("deu", "nld")


def test_of_a_published_score_on_unknown_items_nothing_is_said_of_how_sure_it_is(run: Run) -> None:
    origin = "imported from table.csv (sha256 0123abc): Doe 2022"
    cells = [
        replace(run(source, 50), score=score, correct=None, total=None, n_items=0, device="imported", provenance=origin)
        for source, score in (("deu", 0.7), ("eng", 0.3))
    ]

    found = answer(cells, None)

    assert (found.shortlist, found.sources[0].probability_best) == ((), None)
    assert found.imported_from == origin
    assert found.method == "items_unknown"


def test_the_shortlist_is_the_fewest_that_hold_the_best_with_ninety_percent() -> None:
    assert shortlist({"deu": 0.5, "eng": 0.3, "hin": 0.15, "swa": 0.05}) == ("deu", "eng", "hin")
    assert shortlist({"deu": 0.95, "eng": 0.05}) == ("deu",)
    assert shortlist({}) == ()


def test_a_measured_source_has_its_place_by_what_is_expected_of_it_and_keeps_its_score(run: Run) -> None:
    cells = [run("deu", 70), run("eng", 69), run("hau", 60, target="wol")]

    found = answer(cells, expecting(deu=0.6, hau=0.65, eng=0.5))

    assert [(one.source, one.score, one.expected) for one in found.sources] == [
        ("hau", 0.65, 0.65),
        ("deu", 0.7, 0.6),
        ("eng", 0.69, 0.5),
    ]


def test_where_no_source_is_related_its_relatives_are_measured_first(run: Run) -> None:
    listed = ("hau", "ibo", "swa")
    cells = [run(source, 60, target="wol") for source in listed]

    predict = expecting_of(listed, hau=0.6, ibo=0.5, swa=0.4, pol=0.55, ces=0.58, slk=0.2, eng=0.7)
    found = answer(cells, predict, target="hsb")

    assert found.unrelated is True
    assert [(one.source, one.same_genus) for one in found.considered] == [("ces", True), ("pol", True), ("slk", True)]
    assert (found.verdict.action, found.verdict.sources) == ("measure_first", ("ces", "pol", "slk"))


def test_a_source_that_nobody_listed_is_named_where_it_is_expected_to_do_better(run: Run) -> None:
    listed = ("pol", "rus")
    cells = [run(source, 60, target="wol") for source in listed]

    found = answer(cells, expecting_of(listed, pol=0.6, rus=0.5, ces=0.65, slk=0.55), target="hsb")

    assert found.unrelated is False
    assert [one.source for one in found.considered] == ["ces"]
    assert [one.score for one in found.considered] == [0.65]
    assert found.verdict.sources == ("pol", "rus")


def test_of_a_language_without_known_relatives_it_is_not_said_that_sources_are_unrelated(run: Run) -> None:
    cells = [run("hau", 60, target="wol")]

    for target in ("qaa", "hat"):  # Nobody knows the one, and the other, Haitian, is a creole.
        found = answer(cells, expecting(hau=0.6), target=target)
        assert (found.unrelated, found.considered) == (None, ())


def test_the_databases_behind_an_answer_are_stated(run: Run) -> None:
    found = answer([run("deu", 70)], None)

    assert "5.1" in found.databases["Glottolog"]
