"""Delimited files: columns by name, one id a row, labels among those allowed."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from workers.corpora.formats import FORMATS, Options, columns_of, read_items
from workers.rows import CorpusError, Said
from workers.tasks.classification import TASK, LabelledText

Write = Callable[..., Path]


def read(
    path: Path, labels: Any = None, columns: Mapping[str, Any] | None = None, **options: Any
) -> list[LabelledText]:
    format_ = FORMATS[path.suffix[1:]]
    said = Said(columns_of(TASK, format_.columns, columns or {}), labels)
    items = read_items(path, format_, TASK, said, Options(**options))
    return [item for item in items if isinstance(item, LabelledText)]


def test_columns_are_found_by_name_and_others_ignored(write: Write) -> None:
    path = write("a.tsv", "topic\tnote\tkey\tbody\nsports\t-\t7\tGoal!\n")
    columns = {"id": "key", "text": "body", "label": "topic"}
    assert read(path, columns=columns) == [LabelledText("7", "Goal!", "sports")]


def test_quoted_fields_hold_quotes_delimiters_and_line_ends(write: Write) -> None:
    path = write("a.csv", 'id,text,label\n1,"He said ""no"", and\nleft.",x\n2,b,x\n')
    assert [item.text for item in read(path)] == ['He said "no", and\nleft.', "b"]


def test_quotes_in_tabs_are_plain_characters(write: Write) -> None:
    path = write("a.tsv", 'id\ttext\tlabel\n1\t"No he said\tx\n2\tand left"\tx\n')
    assert [item.text for item in read(path)] == ['"No he said', 'and left"']


def test_fields_in_quotes_in_tabs_are_asked_about(write: Write) -> None:
    path = write("a.tsv", 'id\ttext\tlabel\n1\t"No ""he"" said"\tx\n')
    with pytest.raises(CorpusError, match="quoted: true") as caught:
        read(path)
    assert caught.value.line == 2
    assert read(path, quoted=True)[0].text == 'No "he" said'
    assert read(path, quoted=False)[0].text == '"No ""he"" said"'


def test_stray_quote_is_an_error_that_tells_the_way_out(write: Write) -> None:
    with pytest.raises(CorpusError, match="quoted: false") as caught:
        read(write("a.csv", 'id,text,label\n1,b,x\n2,"No" he said,x\n'))
    assert caught.value.line == 3


def test_semicolons_are_found_by_the_header_or_said(write: Write) -> None:
    assert read(write("a.csv", "id;text;label\n1;well, yes;x\n"))[0].text == "well, yes"
    assert read(write("b.csv", "id|text|label\n1|well, yes|x\n"), delimiter="|")[0].text == "well, yes"


def test_without_a_header_columns_are_positions(write: Write) -> None:
    path = write("a.csv", '0,"first, it is"\n1,second\n')
    items = read(path, ["bad", "good"], {"id": None, "text": "1", "label": "0"}, header=False)
    assert items == [LabelledText("1", "first, it is", "bad"), LabelledText("2", "second", "good")]


def test_a_file_without_a_header_is_told_from_one_without_a_column(write: Write) -> None:
    with pytest.raises(CorpusError, match="header: false"):
        read(write("a.csv", "0,first\n1,second\n"), columns={"id": None, "text": "1", "label": "0"})


def test_labels_may_say_what_values_mean(write: Write) -> None:
    path = write("a.csv", "id,text,label\n1,a,-1\n2,b,1\n")
    assert [item.label for item in read(path, {"-1": "bad", "1": "good"})] == ["bad", "good"]
    with pytest.raises(CorpusError, match=r":2: label '-1' is not one of 0, 1.*labels"):
        read(path, {"0": "bad", "1": "good"})


def test_number_beyond_the_labels_is_an_error(write: Write) -> None:
    with pytest.raises(CorpusError, match=r":3: label 2 is beyond the 2 of `labels`"):
        read(write("a.csv", "id,text,label\n1,a,1\n2,b,2\n"), ["bad", "good"])


def test_blanks_behind_a_label_are_no_part_of_it(write: Write) -> None:
    assert [item.label for item in read(write("a.tsv", "id\ttext\tlabel\n1\ta\tx \n2\tb\tx\n"))] == ["x", "x"]


def test_a_column_that_stands_twice_is_an_error(write: Write) -> None:
    with pytest.raises(CorpusError, match="column 'text' stands twice"):
        read(write("a.csv", "id,text,text,label\n1,a,b,x\n"))


def test_without_an_id_column_the_position_is_the_id(write: Write) -> None:
    path = write("a.csv", "text,label\na,x\n\nb,y\n")
    assert [item.id for item in read(path, columns={"id": None})] == ["1", "2"]


@pytest.mark.parametrize(
    ("rows", "line", "problem"),
    [
        ("1,a\n", 2, "2 columns where the header has 3"),
        ('1,"a\nb",x\n2,c,x,y\n', 4, "4 columns where the header has 3"),
        (",a,x\n", 2, "an empty id"),
        ("1, ,x\n", 2, "an empty text"),
        ("1,a,\n", 2, "an empty label"),
        ("1,a,sport\n", 2, "label 'sport' is not one of sports, x; nearest: sports"),
        ("1,a,x\n2,b,x\n1,c,x\n", 4, r"id '1' occurs twice \(first on line 2\)"),
        ("", 1, "a header and no rows"),
    ],
)
def test_bad_row_is_an_error_with_its_line(write: Write, rows: str, line: int, problem: str) -> None:
    path = write("a.csv", "id,text,label\n" + rows)
    with pytest.raises(CorpusError, match=problem) as caught:
        read(path, ["sports", "x"])
    assert caught.value.line == line


def test_missing_column_names_the_nearest(write: Write) -> None:
    with pytest.raises(CorpusError, match=r":2: column 'label' is not one of id, labels, text; nearest: labels"):
        read(write("a.csv", "id,text,labels\n1,a,x\n"))


def test_passages_are_named_by_a_column_of_their_own(write: Write) -> None:
    path = write("a.csv", "id,text,label,page\n1,a,x,home\n2,b,y,home\n")
    assert [item.passage for item in read(path)] == [None, None]
    items = read(path, columns={"passage": "page"})
    assert [item.passage for item in items] == ["home", "home"]
