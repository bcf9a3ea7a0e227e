"""Donors against recipients: points, bars and names where they belong."""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree import ElementTree

import numpy as np
import pyarrow as pa
import pytest

from matrices.arrays import Floats
from matrices.measures.registry import ABOUT
from matrices.plots import NothingToPlaceError, donor_map, render
from matrices.plots.scatter import place_labels

Scores = dict[str, tuple[float | None, float | None]]
FOUR: Scores = {"deu": (0.5, 0.4), "eng": (0.6, -0.3), "hin": (-0.4, 0.5), "swa": (-0.5, -0.5)}


def table(scores: Scores, *, half: float | None = 0.1) -> pa.Table:
    """The columns of the measure `donors` that are drawn."""

    def ends(values: Sequence[float | None], sign: int) -> pa.Array:
        return pa.array(
            [None if value is None or half is None else value + sign * half for value in values], pa.float64()
        )

    donor, recipient = ([pair[at] for pair in scores.values()] for at in (0, 1))
    columns = {
        "language": pa.array(list(scores)),
        "donor": pa.array(donor, pa.float64()),
        "donor_low": ends(donor, -1),
        "donor_high": ends(donor, 1),
        "recipient": pa.array(recipient, pa.float64()),
        "recipient_low": ends(recipient, -1),
        "recipient_high": ends(recipient, 1),
        "type": pa.array(["gives and takes"] * len(scores)),
    }
    return pa.table(columns).replace_schema_metadata(dict.fromkeys(ABOUT, "tiny"))


def drawn(of: pa.Table) -> ElementTree.Element:
    return ElementTree.fromstring(render(donor_map(of), "svg"))


def texts(of: pa.Table) -> list[str]:
    return ["".join(node.itertext()) for node in drawn(of).iter() if node.tag.endswith("text")]


def marks(of: pa.Table, role: str) -> list[ElementTree.Element]:
    return [node for node in drawn(of).iter() if node.get("aria-roledescription") == role]


def test_every_language_has_a_point_its_name_and_two_bars() -> None:
    assert len(marks(table(FOUR), "circle")) == 4
    assert {"German", "English", "Hindi", "Swahili"} <= set(texts(table(FOUR)))
    bars = [mark for mark in marks(table(FOUR), "rule mark") if "language" not in mark.get("aria-label", "")]
    assert len(bars) >= 8


def test_the_four_quadrants_are_named_and_axes_say_what_they_are() -> None:
    found = texts(table(FOUR))
    assert {"gives", "takes", "gives and takes", "neither"} <= set(found)
    assert any(text.startswith("donor score") for text in found)
    assert any(text.startswith("recipient score") for text in found)


def test_a_quadrant_out_of_sight_is_not_named() -> None:
    far = {code: (-30 - at, -40 - at) for at, code in enumerate(FOUR)}
    assert "neither" in texts(table(far))
    assert not {"gives", "takes", "gives and takes"} & set(texts(table(far)))


def test_languages_of_one_role_have_no_place_and_are_counted() -> None:
    found = texts(table({**FOUR, "tur": (0.3, None), "yor": (None, 0.3)}))
    assert not {"Turkish", "Yoruba"} & set(found)
    assert any("4 languages; 2 of one role alone not shown" in text for text in found)


def test_without_intervals_there_are_no_bars_and_the_picture_says_so() -> None:
    found = texts(table(FOUR, half=None))
    assert any("no intervals: outcomes of items were not kept" in text for text in found)
    assert not any("bars" in text for text in found)


def test_many_languages_stand_with_their_codes() -> None:
    codes = [f"q{a}{b}" for a in "abc" for b in "abcdefghijklmnopqrst"]
    many = {code: (at / 60, (at * 7 % 60) / 60) for at, code in enumerate(codes)}
    found = texts(table(many))
    assert all(found.count(code) == 1 for code in codes)


def test_no_language_of_both_roles_is_an_error_that_says_so() -> None:
    with pytest.raises(NothingToPlaceError, match="both as a source and as a target"):
        donor_map(table({"tur": (0.3, None), "yor": (None, 0.3)}))


ROOM = (600.0, 500.0)


def overlaps(centres: Floats, sizes: Floats) -> int:
    apart = np.abs(centres[:, None] - centres[None]) < (sizes[:, None] + sizes[None]) / 2
    return int((apart.all(axis=2).sum() - len(centres)) // 2)


def test_sixty_labels_in_a_crowd_hardly_overlap_and_stay_within_the_picture() -> None:
    random = np.random.default_rng(0)
    points = np.clip(random.normal((300, 250), (90, 70), (60, 2)), 0, ROOM)
    sizes = np.tile([18.0, 11.0], (60, 1))
    centres = place_labels(points, sizes, ROOM)
    assert overlaps(points + sizes / 2, sizes) > 10
    assert overlaps(centres, sizes) == 0
    assert (centres - sizes / 2 >= 0).all()
    assert (centres + sizes / 2 <= ROOM).all()


def test_a_label_alone_stands_next_to_its_point_above_on_the_right_and_covers_neither_it_nor_its_bars() -> None:
    (centre,) = place_labels(np.array([[300.0, 250.0]]), np.array([[40.0, 10.0]]), ROOM)
    assert np.allclose(centre, [324.9, 240.1])


def test_a_label_at_the_right_edge_stands_on_the_left() -> None:
    (centre,) = place_labels(np.array([[598.0, 250.0]]), np.array([[40.0, 10.0]]), ROOM)
    assert centre[0] < 598 - 20


def test_two_languages_in_one_place_have_their_labels_apart() -> None:
    sizes = np.array([[40.0, 10.0], [40.0, 10.0]])
    assert overlaps(place_labels(np.array([[300.0, 250.0]] * 2), sizes, ROOM), sizes) == 0


def test_nothing_to_label_is_no_error() -> None:
    assert place_labels(np.empty((0, 2)), np.empty((0, 2)), ROOM).shape == (0, 2)
