"""Labels of a scatter: apart from each other and from the points, near their own, within the picture."""

from __future__ import annotations

import numpy as np

from matrices.arrays import Floats
from matrices.plots.placing import place_labels

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
