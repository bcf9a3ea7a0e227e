from __future__ import annotations

import json
from datetime import UTC, datetime

import pyarrow as pa
import pytest

from matrices.cells import to_table
from matrices.recommend import UnknownTargetError, outline, recommend, to_json
from tests.answers import MakeCell, Run, runs


@pytest.fixture
def run(make_cell: MakeCell) -> Run:
    return runs(make_cell)


def test_sources_are_ranked_by_their_mean_over_seeds(run: Run) -> None:
    cells = to_table(
        [run(s, right + r, seed=r) for s, right in (("hin", 50), ("deu", 70), ("eng", 60)) for r in range(3)]
    )

    answer = recommend(cells, "yor", k=2)

    assert [(source.rank, source.source, source.name) for source in answer.sources] == [
        (1, "deu", "German"),
        (2, "eng", "English"),
    ]
    best = answer.sources[0]
    assert (best.score, best.sd) == (pytest.approx(0.71), pytest.approx(0.01))
    assert (best.seeds, best.n_items, best.measured) == (3, 100, True)
    assert best.interval[0] < best.score < best.interval[1]
    assert (answer.k, answer.ranked) == (2, 3)
    assert (answer.target.code, answer.target.name) == ("yor", "Yoruba")


def test_equal_scores_are_ranked_by_code(run: Run) -> None:
    answer = recommend(to_table([run(source, 50) for source in ("swa", "deu", "hin")]), "yor")

    assert [source.source for source in answer.sources] == ["deu", "hin", "swa"]


def test_sources_within_doubt_of_the_best_are_tied_and_others_are_not(run: Run) -> None:
    cells = to_table([run(s, right, seed=r) for s, right in (("deu", 70), ("eng", 69), ("hin", 40)) for r in range(3)])

    answer = recommend(cells, "yor", k=1)

    assert answer.tied == ("deu", "eng")
    assert len(answer.sources) == 1


def test_the_target_itself_is_shown_beside_and_never_ranked(run: Run) -> None:
    answer = recommend(to_table([run("yor", 95), run("deu", 70)]), "yor")

    assert [source.source for source in answer.sources] == ["deu"]
    assert answer.comparison.in_language is not None
    assert answer.comparison.in_language.score == pytest.approx(0.95)


def test_the_baseline_is_shown_beside_and_never_ranked(run: Run) -> None:
    answer = recommend(to_table([run("deu", 70), run(None, 30, composition="baseline")]), "yor")

    assert answer.comparison.baseline is not None
    assert answer.comparison.baseline.score == pytest.approx(0.3)
    assert answer.sources[0].effect is not None
    assert answer.sources[0].effect.verdict == "helps"


def test_what_was_not_measured_is_null_and_never_0(run: Run) -> None:
    comparison = recommend(to_table([run("deu", 70)]), "yor").comparison

    assert (comparison.english, comparison.in_language, comparison.baseline) == (None, None, None)
    assert comparison.best_average is None


def test_english_and_the_best_average_are_beside_with_their_rank(run: Run) -> None:
    on_target = [run("deu", 70), run("eng", 60), run("hin", 65)]
    elsewhere = [
        run(source, right, target=target)
        for target in ("wol", "ewe")
        for source, right in (("deu", 40), ("eng", 50), ("hin", 80))
    ]

    comparison = recommend(to_table([*on_target, *elsewhere]), "yor", k=1).comparison

    assert comparison.english is not None
    assert (comparison.english.rank, comparison.english.score) == (3, pytest.approx(0.6))
    assert comparison.best_average is not None
    assert (comparison.best_average.source, comparison.best_average.rank) == ("hin", 2)


def test_interference_says_what_helps_what_harms_and_what_is_undecided(run: Run) -> None:
    settings = {"kind": "interference", "matrix": "interference-pos-tiny"}
    cells = [
        run(source, right, seed=seed, composition=composition, **settings)
        for seed in range(3)
        for source, right, composition in (
            ("deu", 70, "stack"),
            ("hin", 51, "stack"),
            ("wol", 30, "stack"),
            (None, 50, "baseline"),
        )
    ]

    answer = recommend(to_table(cells), "yor")

    effects = {source.source: source.effect for source in answer.sources}
    assert {source: effect.verdict for source, effect in effects.items() if effect} == {
        "deu": "helps",
        "hin": "undecided",
        "wol": "harms",
    }
    assert effects["deu"] is not None
    assert effects["deu"].difference == pytest.approx(0.2)


def test_failed_runs_are_left_out_and_counted(run: Run, make_cell: MakeCell) -> None:
    failed = [make_cell(source="hin", status="failed", seed=seed) for seed in range(2)]

    answer = recommend(to_table([run("deu", 70), *failed]), "yor")

    assert [source.source for source in answer.sources] == ["deu"]
    assert answer.failed == 2


def test_a_failure_that_was_measured_after_all_is_no_failure(run: Run, make_cell: MakeCell) -> None:
    healed = [make_cell(source="deu", status="failed", cell_id="before"), run("deu", 70)]

    assert recommend(to_table(healed), "yor").failed == 0


def test_a_source_that_lacks_seeds_is_ranked_by_those_it_has(run: Run) -> None:
    cells = [*(run("deu", 60, seed=seed) for seed in range(3)), run("hin", 90, seed=1)]

    answer = recommend(to_table(cells), "yor")

    assert [(source.source, source.seeds, source.sd) for source in answer.sources] == [
        ("hin", 1, None),
        ("deu", 3, pytest.approx(0)),
    ]


def test_of_two_measurements_with_one_seed_the_later_counts(run: Run) -> None:
    cells = [
        run("deu", 90, cell_id="old", created_at=datetime(2026, 1, 1, tzinfo=UTC)),
        run("deu", 50, cell_id="new", created_at=datetime(2026, 1, 2, tzinfo=UTC)),
    ]

    (source,) = recommend(to_table(cells), "yor").sources

    assert (source.score, source.seeds) == (0.5, 1)


def test_runs_on_other_items_than_most_are_not_compared(run: Run) -> None:
    cells = [run("deu", 70), run("eng", 60), run("hin", 55, of=60)]

    answer = recommend(to_table(cells), "yor")

    assert [source.source for source in answer.sources] == ["deu", "eng"]
    assert answer.other_items == 1


def test_without_the_outcomes_of_items_there_is_still_an_interval_and_it_says_how(run: Run) -> None:
    cells = to_table([run("deu", 70, seed=seed) for seed in range(3)])
    for name in ("correct", "total"):
        cells = cells.drop_columns(name)
    cells = pa.concat_tables([cells, to_table([])], promote_options="default")

    answer = recommend(cells, "yor")

    assert answer.method == "normal_approximation"
    assert answer.sources[0].interval[0] < 0.7 < answer.sources[0].interval[1]


@pytest.mark.parametrize("composition", ["stack", "shift"])
def test_compositions_and_selections_are_never_mixed(run: Run, composition: str) -> None:
    cells = [
        run("deu", right, composition=name, selection=selection, cell_id=f"{name}{selection}")
        for name, selection, right in (("stack", "last", 70), ("stack", "averaged", 80), ("shift", "last", 20))
    ]

    answer = recommend(to_table(cells), "yor", composition=composition)

    assert answer.sources[0].score == {"stack": 0.7, "shift": 0.2}[composition]
    assert (answer.composition, answer.selection) == (composition, "last")


def test_the_plain_composition_and_selection_are_the_default(run: Run) -> None:
    cells = [
        run("deu", right, composition=name, selection=selection, cell_id=f"{name}{selection}")
        for name, selection, right in (("shift", "last", 20), ("stack", "averaged", 80), ("stack", "last", 70))
    ]

    assert recommend(to_table(cells), "yor").sources[0].score == 0.7


def test_a_target_nothing_was_measured_on_is_an_error_naming_those_there_are(run: Run, make_cell: MakeCell) -> None:
    cells = [run("deu", 70), run("wol", 70, target="wol"), make_cell(source="deu", target="ewe", status="failed")]

    assert outline(to_table(cells)).targets == ("yor",)
    for target in ("ewe", "wol", "swa"):
        with pytest.raises(UnknownTargetError, match=f"{target} was not measured as a target in .*there is: yor"):
            recommend(to_table(cells), target)


def test_the_answer_does_not_depend_on_the_order_of_the_cells(run: Run) -> None:
    cells = [run(s, right, seed=r) for s, right in (("deu", 70), ("eng", 69), ("hin", 40)) for r in range(3)]

    assert to_json(recommend(to_table(cells), "yor")) == to_json(recommend(to_table(cells[::-1]), "yor"))


def test_generated_languages_are_named_by_their_code(run: Run) -> None:
    answer = recommend(to_table([run("qaa", 70, target="qab")]), "qab")

    assert (answer.sources[0].name, answer.target.name) == ("qaa", "qab")


def test_the_json_has_the_documented_keys(run: Run) -> None:
    answer = json.loads(to_json(recommend(to_table([run("deu", 70)]), "yor", version=4)))

    assert list(answer) == [
        *(
            "matrix",
            "version",
            "kind",
            "task",
            "metric",
            "encoder",
            "composition",
            "selection",
            "target",
            "pretrained",
            "k",
            "ranked",
        ),
        *("sources", "tied", "ties_known", "comparison", "method", "failed", "other_items", "basis", "measured_on"),
        *(
            "predicted",
            "shortlist",
            "asked",
            "features",
            "knowledge",
            "unrelated",
            "considered",
            "elsewhere",
            "sets",
            "one_is_enough",
            "databases",
            "imported_from",
            "verdicts",
            "verdict",
        ),
        *("advice", "shots"),
    ]
    assert list(answer["sources"][0]) == [
        *("score", "sd", "seeds", "n_items", "interval", "measured", "level"),
        *(
            "rank",
            "expected",
            "source",
            "name",
            "tied_with_best",
            "average_z",
            "effect",
            "probability_best",
            "rests_on",
            "knowledge",
        ),
    ]
    assert list(answer["comparison"]) == ["english", "best_average", "in_language", "baseline", "nearest_family"]
    assert (answer["version"], answer["sources"][0]["sd"]) == (4, None)
