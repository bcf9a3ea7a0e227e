from __future__ import annotations

import pytest

from matrices.published.numbers import NotANumberError, WrittenNumber, written


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("55.0", WrittenNumber(55.0)),
        (" 55 ", WrittenNumber(55.0)),
        ("55,0", WrittenNumber(55.0)),
        ("0,552", WrittenNumber(0.552)),
        (".5", WrittenNumber(0.5)),
        ("5e-1", WrittenNumber(0.5)),
        ("-0.01", WrittenNumber(-0.01)),
        ("−0.01", WrittenNumber(-0.01)),
        ("**55.0**", WrittenNumber(55.0)),
        ("55.0%", WrittenNumber(55.0, percent=True)),
        ("55,0 %", WrittenNumber(55.0, percent=True)),
        ("55.0 ± 0.1", WrittenNumber(55.0, 0.1)),
        ("55.0±0.1%", WrittenNumber(55.0, 0.1, percent=True)),
        ("55.0 +- 0.1", WrittenNumber(55.0, 0.1)),
        ("55,0 +/- 0,1", WrittenNumber(55.0, 0.1)),
        (r"55.0 \pm 0.1", WrittenNumber(55.0, 0.1)),
        ("55.0 (0.1)", WrittenNumber(55.0, 0.1)),
        ("55.0 (±0.1)", WrittenNumber(55.0, 0.1)),
    ],
)
def test_a_number_is_read_as_people_write_it(text: str, expected: WrittenNumber) -> None:
    assert written(text) == expected


@pytest.mark.parametrize("text", ["", " ", "nan", "N/A", "-", "—", "None"])
def test_what_stands_for_nothing_is_none(text: str) -> None:
    assert written(text) is None


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("half", "'half' is no number; leave it empty"),
        ("inf", "'inf' is no number"),
        ("55.0.1", "is no number"),
        ("1,234", "may be thousands or have a decimal comma; write it with a point"),
        ("1,234.5", "is no number"),
        ("1e300", "is out of range; at most 1e\\+12"),
        ("1e999", "is out of range"),
    ],
)
def test_what_may_be_two_numbers_or_none_is_refused(text: str, says: str) -> None:
    with pytest.raises(NotANumberError, match=says):
        written(text)
