"""Names of selections: each means one rule, and the oracle is told apart wherever one is chosen."""

import pytest

from matrices.selections import Selection, SelectionError, deployable, is_oracle, parse


@pytest.mark.parametrize(
    ("name", "means"),
    [
        ("last", Selection("last")),
        ("source_dev", Selection("source_dev")),
        ("source_dev(6)", Selection("source_dev", runs=6)),
        ("averaged", Selection("averaged")),
        ("averaged(3)", Selection("averaged", most=3)),
        ("soup(5)", Selection("soup", most=5)),
        ("soup(5, 6)", Selection("soup", runs=6, most=5)),
        ("run_averaged(4)", Selection("run_averaged", runs=4)),
        ("run_averaged(4, averaged)", Selection("run_averaged", runs=4, of="averaged")),
        ("target_dev", Selection("target_dev")),
    ],
)
def test_a_name_means_a_rule(name: str, means: Selection) -> None:
    assert parse(name) == means


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("best", "'best' is no selection; there are: last, source_dev"),
        ("last(2)", "no form of last"),
        ("soup", "no form of soup"),
        ("run_averaged(0)", "a number is 1 or more"),
        ("run_averaged(2, target_dev)", "no form of run_averaged"),
        ("target_dev(2)", "no form of target_dev"),
    ],
)
def test_another_name_is_refused_with_those_there_are(name: str, told: str) -> None:
    with pytest.raises(SelectionError, match=told.replace("(", r"\(").replace(")", r"\)")):
        parse(name)


def test_only_the_oracle_sees_labels_of_the_target() -> None:
    names = ["averaged", "last", "published", "target_dev"]
    assert [name for name in names if is_oracle(name)] == ["target_dev"]
    assert deployable(names) == ["averaged", "last", "published"]


def test_a_mean_of_runs_is_told_from_what_is_of_one() -> None:
    assert [parse(name).averages_runs for name in ("run_averaged(2)", "soup(5, 2)", "soup(5)", "run_averaged(1)")] == [
        True,
        True,
        False,
        False,
    ]
    assert not parse("source_dev(6)").averages_runs
