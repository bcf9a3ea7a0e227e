"""Tables that are a grid: a side of sources, a side of targets."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from matrices.published.lines import TableColumns
from matrices.published.reading import PublishedTableError, read_published
from matrices.published.scores import read_scores


@pytest.mark.parametrize(
    ("corner", "columns", "expected"),
    [
        ("", TableColumns(), 0.2),
        ("source \\ target", TableColumns(), 0.2),
        ("train/test", TableColumns(), 0.2),
        ("Target", TableColumns(), 0.5),
        ("tgt → src", TableColumns(), 0.5),
        ("", TableColumns(rows_are="targets"), 0.5),
        ("source", TableColumns(rows_are="targets"), 0.5),
    ],
)
def test_a_grid_goes_by_its_corner_or_as_it_is_told(
    file: Path, corner: str, columns: TableColumns, expected: float
) -> None:
    file.write_text(f"{corner},en,de,yo\nen,0.9,0.2,0.3\nde,0.5,0.8,0.6\n")

    table = read_scores(file, columns)

    assert table.scores[table.sources.index("eng"), table.targets.index("deu")] == expected


def test_a_grid_that_does_not_say_which_side_is_which_says_what_was_assumed(file: Path) -> None:
    file.write_text(",en,de\nen,0.9,0.2\nde,0.5,0.8\n")

    [note] = read_published(file).notes
    assert note.startswith("rows are taken for sources")


def test_zeros_along_the_diagonal_of_a_grid_are_no_scores(file: Path) -> None:
    file.write_text("source,en,de,yo\nen,0,0.2,0.3\nde,0.5,0,0.6\nyo,0.1,0.2,0\n")
    assert np.isnan(np.diag(read_scores(file).scores)).all()

    file.write_text("source,en,de,yo\nen,0,0,0.3\nde,0.5,0,0.6\nyo,0.1,0.2,0\n")
    assert np.diag(read_scores(file).scores).tolist() == [0, 0, 0], "one more 0 stands elsewhere: they may be scores"


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        (",en,de,yo,ha\nen,0,1,2,1\nde,1,0,3,3\nyo,2,3,0,2\nha,3,2,1,0\n", TableColumns()),
        (",en,de,yo,ha\nen,,1,2,3\nde,1,,3,2\nyo,2,3,,1\nha,1,3,2,\n", TableColumns()),
        ("target,en,de,yo\nen,,1,2\nde,1,,2\nyo,1,2,\n", TableColumns(ranks=True)),
    ],
)
def test_a_grid_of_ranks_is_known_as_one_whichever_side_is_ranked(file: Path, text: str, columns: TableColumns) -> None:
    file.write_text(text)

    published = read_published(file, columns)
    table = read_scores(file, columns)

    assert published.ranks_only
    # Of English as the target, German is ranked first in all of them.
    assert table.scores[table.sources.index("deu"), table.targets.index("eng")] == 1


def test_a_grid_with_a_column_that_is_no_language_is_refused_or_read_without_it(file: Path) -> None:
    file.write_text(",en,de,yo,avg\nen,0.9,0.2,0.3,0.4\nde,0.5,0.8,0.6,0.6\nmean,0.1,0.1,0.1,0.1\n")

    with pytest.raises(PublishedTableError, match=r"line 1: column 'avg': 'avg' is a summary.*--skip-unknown"):
        read_scores(file)
    assert read_scores(file, TableColumns(skip_unknown=True)).scores.shape == (2, 3)
