"""Summaries and findings: computed from numbers, and other numbers make other findings."""

from __future__ import annotations

from typing import Any

import pytest

from workers.estimates import Estimate
from workers.othello.findings import findings, kept
from workers.othello.job import Condition
from workers.othello.numbers import SCHEMA, OthelloNumber
from workers.othello.summary import OthelloSummary, summarise
from workers.record_tables import to_table

CONDITIONS = {"naive": Condition(), "anchors-4": Condition(anchors=4), "unified": Condition(output="unified")}
PUBLISHED = {
    "naive": {"own": 0.85, "cross": 0.5, "rotated": 0.8, "target": (0.7, 0.4), "elsewhere": 0.2},
    "anchors-4": {"own": 0.85, "cross": 0.8, "rotated": 0.84, "target": (0.7, 0.5), "elsewhere": 0.4},
    "unified": {"own": 0.85, "cross": 0.85, "rotated": 0.85, "target": (0.75, 0.95), "elsewhere": 0.0},
}


def numbers(condition: str, seed: int, told: dict[str, Any]) -> list[OthelloNumber]:
    """The numbers of a run with one layer that matters, as ``told``; a little more each seed."""
    more = 0.002 * seed
    base: dict[str, Any] = {"condition": condition, "seed": seed, "n": 100}
    probe: dict[str, Any] = {
        **base,
        "measure": "probe",
        "model": "pretrained",
        "probe": "two_layer",
        "colours": "absolute",
        "pooling": "last",
        "split": "game",
        "aligned": False,
        "source": "A",
    }
    similar = {"source": "A", "model": "pretrained", "pooling": "last"}
    made = [
        OthelloNumber(**base, measure="majority", value=0.6, target="*", colours="absolute", split="game"),
        OthelloNumber(**base, measure="majority_by_move", value=0.65, target="*", colours="absolute", split="game"),
    ]
    for layer in range(5):
        # The published depth of four layers is the third; another would tell a different story.
        off = 0.0 if layer == 3 else -0.2
        made += [
            OthelloNumber(**{**probe, "target": "A", "layer": layer, "value": told["own"] + off + more}),
            OthelloNumber(**{**probe, "target": "B", "layer": layer, "value": told["cross"] + off + more}),
            OthelloNumber(**{**probe, "target": "B", "layer": layer, "value": told["rotated"] + off, "aligned": True}),
            OthelloNumber(**{**probe, "target": "A", "layer": layer, "value": 0.7, "model": "untrained"}),
            OthelloNumber(**{**probe, "target": "B", "layer": layer, "value": 0.5, "model": "untrained"}),
            OthelloNumber(
                **{**probe, "target": "B", "layer": layer, "value": 0.55, "aligned": True, "model": "untrained"}
            ),
            OthelloNumber(**{**probe, "target": "A", "layer": layer, "value": told["own"], "split": "position"}),
            OthelloNumber(**{**probe, "target": "B", "layer": layer, "value": told["cross"], "split": "position"}),
            OthelloNumber(**{**base, **similar, "measure": "cka", "value": 0.9, "target": "B", "layer": layer}),
        ]
    for games in ("held_in", "held_out"):
        for step, legal in zip((0, 200), told["target"], strict=True):
            elsewhere = told["elsewhere"] if step else 0.0
            for target, value in (("A", 0.95), ("B", legal + more)):
                shares = {"legal": value, "legal_elsewhere": elsewhere if target == "B" else 0.0}
                shares |= {"legal_either": 0.0, "illegal_elsewhere": 0.0, "no_move": 0.0}
                shares["illegal"] = 1 - sum(shares.values())
                made += [
                    OthelloNumber(**base, measure=name, value=share, target=target, source="A", step=step, games=games)
                    for name, share in shares.items()
                ]
    return made


def summary(told: dict[str, dict[str, Any]], seeds: int = 3) -> OthelloSummary:
    runs = [numbers(condition, seed, one) for condition, one in told.items() for seed in range(seeds)]
    return summarise(to_table((row for run in runs for row in run), SCHEMA))


def changed(condition: str, **values: Any) -> dict[str, dict[str, Any]]:
    return {**PUBLISHED, condition: {**PUBLISHED[condition], **values}}


def verdicts(told: dict[str, dict[str, Any]]) -> list[str]:
    return [finding.verdict for finding in findings(summary(told), CONDITIONS)]


def test_numbers_like_the_published_ones_reproduce_all_three() -> None:
    assert verdicts(PUBLISHED) == ["reproduced"] * 3


@pytest.mark.parametrize(
    ("told", "which"),
    [
        (changed("naive", cross=0.8), 0),
        (changed("anchors-4", cross=0.55), 1),
        (changed("anchors-4", target=(0.6, 0.9)), 2),
        (changed("unified", target=(0.7, 0.7)), 2),
    ],
    ids=["naive languages aligned", "anchors did not align", "anchors gave transfer", "unified gave none"],
)
def test_other_numbers_do_not(told: dict[str, dict[str, Any]], which: int) -> None:
    assert verdicts(told)[which] == "not reproduced"


def test_findings_say_the_numbers_they_rest_on() -> None:
    first, second, third = findings(summary(PUBLISHED), CONDITIONS)
    assert "reads 0.852 ± 0.005 of squares in its own language reads 0.502 ± 0.005 in another" in first.evidence
    assert "keeps 0.7" in first.corrected
    assert "a rotation gets to 0.550 ± 0.000" in first.corrected
    assert "what naive training lacks is a common orientation" in first.corrected
    assert "0.300 ± 0.000 more than naive" in second.evidence
    assert "from 0.702 ± 0.005 to 0.502 ± 0.005 with anchors-4" in third.evidence
    assert "1.00 of the rate" in third.evidence
    assert "the game was transferred, the language was not" in third.corrected


def test_a_rotation_that_finds_no_more_than_without_training_says_nothing_of_orientation() -> None:
    first = findings(summary(changed("naive", rotated=0.54)), CONDITIONS)[0]
    assert "it cannot be said that only the orientation of states differs" in first.corrected


def test_illegal_moves_are_told_from_legal_ones_in_another_language() -> None:
    third = findings(summary(changed("anchors-4", elsewhere=0.0)), CONDITIONS)[2]
    assert third.verdict == "reproduced"
    assert "the game was not transferred either" in third.corrected
    assert "some of the game was forgotten" in third.corrected


def test_what_a_job_did_not_ask_is_not_answered() -> None:
    found = findings(summary({"naive": PUBLISHED["naive"]}), CONDITIONS)
    assert [finding.verdict for finding in found] == ["reproduced", "not asked", "not asked"]
    assert "The job lacks a condition with anchors" in found[1].evidence


def test_a_probe_keeps_all_none_or_some_of_what_it_reads_above_the_majority() -> None:
    told = {name: {**PUBLISHED["naive"], "cross": cross} for name, cross in (("all", 0.85), ("none", 0.6))}
    found = summary(told, seeds=1)
    assert kept(found, "all").mean == pytest.approx(1, abs=1e-5)
    assert kept(found, "none").mean == pytest.approx(0, abs=1e-5)


def test_intervals_are_those_of_student() -> None:
    estimate = Estimate.of([0.1, 0.2, 0.3])
    assert (estimate.mean, estimate.seeds) == (pytest.approx(0.2), 3)
    assert estimate.high == pytest.approx(0.2 + 4.302653 * 0.1 / 3**0.5)
    assert str(Estimate.of([0.5])) == "0.500"
