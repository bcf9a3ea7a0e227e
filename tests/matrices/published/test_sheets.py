"""Files of every kind are taken apart as a person sees them, or refused with what would do."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest

from matrices.published.sheets import PublishedTableError, read_sheet

HEADER = ("source", "target", "f1")
ROWS = (("en", "de", "0.5"), ("de", "yo", "0.25"))


def rows(path: Path, data: bytes, sheet: str | None = None) -> list[tuple[str, ...]]:
    found = read_sheet(path, data, sheet)
    assert found.header == HEADER
    return [fields for _, fields in found.rows]


@pytest.mark.parametrize(
    "text",
    [
        "source,target,f1\nen,de,0.5\nde,yo,0.25\n",
        "source;target;f1\r\nen;de;0.5\r\nde;yo;0.25\r\n",
        "source\ttarget\tf1\nen\tde\t0.5\nde\tyo\t0.25\n",
        "source|target|f1\nen|de|0.5\nde|yo|0.25\n",
        "sep=;\nsource;target;f1\nen;de;0.5\nde;yo;0.25\n",
        "\ufeff# XLM-R, zero-shot\n\n# F1\nsource,target,f1\nen,de,0.5\n# the rest\nde,yo,0.25\n",
        "| source | target | f1 |\n|:---|---|---:|\n| en | de | **0.5** |\n| de | yo | 0.25 |\n",
        json.dumps([{"source": s, "target": t, "f1": float(v)} for s, t, v in ROWS]),
        json.dumps({"source": ["en", "de"], "target": ["de", "yo"], "f1": [0.5, 0.25]}),
        json.dumps({"columns": HEADER, "data": [["en", "de", 0.5], ["de", "yo", 0.25]]}),
    ],
)
@pytest.mark.parametrize("name", ["table.csv", "table.txt", "table"])
def test_what_stands_in_a_file_says_how_it_is_taken_apart(name: str, text: str) -> None:
    assert rows(Path(name), text.encode()) == list(ROWS)


def test_lines_keep_the_numbers_they_have_in_the_file() -> None:
    text = "sep=;\n# a comment\nsource;target;f1\n\nen;de;0.5\n# another\nde;yo;0.25\n"

    assert [number for number, _ in read_sheet(Path("t.csv"), text.encode()).rows] == [5, 7]


def test_json_lines_are_records() -> None:
    text = "\n".join(json.dumps(dict(zip(HEADER, row, strict=True))) for row in ROWS)

    assert rows(Path("t.jsonl"), text.encode()) == list(ROWS)


def test_scores_by_source_and_target_are_a_grid() -> None:
    found = read_sheet(Path("t.json"), b'{"en": {"de": 0.5, "yo": 0.4}, "de": {"yo": 0.3}}')

    assert (found.header, found.rows) == (("", "de", "yo"), ((2, ("en", "0.5", "0.4")), (3, ("de", "", "0.3"))))


def test_amounts_trained_on_name_the_source_and_several_are_named_together() -> None:
    text = json.dumps(
        [
            {"train_config": {"en": 10000, "de": 0}, "eval_results": {"sw": 0.61}},
            {"train_config": {"en": 5000, "de": 5000}, "eval_results": {"sw": 0.63}},
        ]
    )

    assert [fields for _, fields in read_sheet(Path("t.json"), text.encode()).rows] == [
        ("en", "sw", "0.61"),
        ("en+de", "sw", "0.63"),
    ]


def test_utf_16_with_its_mark_is_read() -> None:
    assert rows(Path("t.csv"), "source,target,f1\nen,de,0.5\nde,yo,0.25\n".encode("utf-16")) == list(ROWS)


def spreadsheet(path: Path, sheets: dict[str, list[list[str | float]]]) -> bytes:
    """A spreadsheet as the standard (ECMA-376) has it: text in place, no styles."""
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    kept = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006"

    def cell(value: str | float) -> str:
        if isinstance(value, str):
            return f'<c t="inlineStr"><is><t>{value}</t></is></c>'
        return f"<c><v>{value}</v></c>"

    with zipfile.ZipFile(path, "w") as book:
        types = "".join(
            f'<Override PartName="/xl/worksheets/sheet{at}.xml" '
            'ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/>'
            for at in range(1, len(sheets) + 1)
        )
        book.writestr(
            "[Content_Types].xml",
            f'<Types xmlns="{package}/content-types"><Default Extension="rels" '
            'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
            '<Override PartName="/xl/workbook.xml" '
            'ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/>'
            f"{types}</Types>",
        )
        book.writestr(
            "_rels/.rels",
            f'<Relationships xmlns="{package}/relationships"><Relationship Id="r1" Type="{kept}/officeDocument" '
            'Target="xl/workbook.xml"/></Relationships>',
        )
        listed = "".join(f'<sheet name="{name}" sheetId="{at}" r:id="r{at}"/>' for at, name in enumerate(sheets, 1))
        book.writestr(
            "xl/workbook.xml", f'<workbook xmlns="{main}" xmlns:r="{kept}"><sheets>{listed}</sheets></workbook>'
        )
        targets = "".join(
            f'<Relationship Id="r{at}" Type="{kept}/worksheet" Target="worksheets/sheet{at}.xml"/>'
            for at in range(1, len(sheets) + 1)
        )
        book.writestr(
            "xl/_rels/workbook.xml.rels", f'<Relationships xmlns="{package}/relationships">{targets}</Relationships>'
        )
        for at, filled in enumerate(sheets.values(), 1):
            body = "".join(f"<row>{''.join(map(cell, row))}</row>" for row in filled)
            book.writestr(
                f"xl/worksheets/sheet{at}.xml", f'<worksheet xmlns="{main}"><sheetData>{body}</sheetData></worksheet>'
            )
    return path.read_bytes()


def test_a_spreadsheet_is_read_and_of_several_sheets_one_is_named(tmp_path: Path) -> None:
    filled: list[list[str | float]] = [[*HEADER], ["en", "de", 0.5], ["de", "yo", 0.25]]
    path = tmp_path / "table.xlsx"

    assert rows(path, spreadsheet(path, {"Sheet1": filled, "Sheet2": []})) == list(ROWS)
    data = spreadsheet(path, {"notes": [["by hand"]], "F1": filled})
    assert rows(path, data, "F1") == list(ROWS)
    with pytest.raises(PublishedTableError, match=r"several sheets \(notes, F1\); name one with --sheet"):
        read_sheet(path, data)
    with pytest.raises(PublishedTableError, match=r"no sheet 'BLEU'; there is: notes, F1"):
        read_sheet(path, data, "BLEU")


@pytest.mark.parametrize(
    ("name", "data", "says"),
    [
        ("t.csv", "source,target,f1\nen,Yorùbá,0.5\n".encode("latin-1"), "line 2: not UTF-8"),
        ("t.csv", b"source,target,f1\nen,de\n", "line 2: 2 fields; the first line names 3"),
        ("t.csv", b"source,target,target\n", "line 1: two columns have one name, 'target'"),
        ("t.json", b'[{"a": }]', "line 1: not JSON"),
        ("t.json", b'{"a": 1}', "line 1: JSON of a kind that is no table here; it may be"),
        ("t.json", b'[{"a": {"b": [1]}}]', "line 1: JSON of a kind that is no table here"),
        ("t.xlsx", b"source,target,f1\n", "line 1: cannot be read as a spreadsheet .*; save it as CSV"),
    ],
)
def test_what_cannot_be_taken_apart_says_where_and_what_would_do(name: str, data: bytes, says: str) -> None:
    with pytest.raises(PublishedTableError, match=f"^{name}, {says}"):
        read_sheet(Path(name), data)


def test_only_a_spreadsheet_has_sheets() -> None:
    with pytest.raises(PublishedTableError, match="--sheet F1: only a spreadsheet has sheets"):
        read_sheet(Path("t.csv"), b"source,target,f1\n", "F1")
