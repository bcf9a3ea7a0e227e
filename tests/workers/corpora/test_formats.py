"""Corpora as people have them, told by a few lines of a declaration: every item a person would count, or an error."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from workers.corpora import open_corpora
from workers.corpora.folder import Folder
from workers.corpora.splits import split_of
from workers.rows import CorpusError
from workers.tasks.choice import Choice
from workers.tasks.pairs import LabelledPair
from workers.tasks.qa import PassageQuestion

Write = Callable[..., Path]


@pytest.fixture
def declare(tmp_path: Path) -> Callable[[str], Folder]:
    """A folder whose ``corpora.yaml`` has one block."""

    def _declare(block: str) -> Folder:
        (tmp_path / "corpora.yaml").write_text(f"corpora:\n  - {{{block}}}\n", encoding="utf-8")
        return open_corpora(tmp_path)

    return _declare


def squad(*articles: list[tuple[str, str, str]]) -> str:
    """Articles of (id, question, answer) about one passage, indented as people write JSON."""
    context = "Anna Berg was born in Lund in 1901."
    data = [
        {
            "title": "t",
            "paragraphs": [
                {
                    "context": context,
                    "qas": [
                        {"id": id_, "question": asked, "answers": [{"text": text, "answer_start": context.find(text)}]}
                        for id_, asked, text in questions
                    ],
                }
            ],
        }
        for questions in articles
    ]
    return json.dumps({"version": "1.1", "data": data}, indent=1)


def test_wikiann_by_its_own_codes_of_languages(write: Write, declare: Callable[[str], Folder]) -> None:
    for code in ("als", "no", "zh-min-nan"):
        write(f"{code}/test", f"{code}:Jan\tB-PER\n{code}:Kok\tI-PER\n\n\n{code}:Bern\tB-LOC\n")
    corpora = declare(
        "name: wikiann, format: conll, kind: spans, task: ner, test: '{language}/test', "
        "languages: {als: gsw, 'no': Norwegian, zh-min-nan: nan}"
    )
    assert [entry.language for entry in corpora.entries()] == ["gsw", "nan", "nor"]
    for language in ("gsw", "nan", "nor"):
        items = corpora.dataset("ner", language, "test").items
        assert [item.content() for item in items] == ["Jan Kok", "Bern"]


def test_two_codes_for_one_language_are_refused(write: Write, declare: Callable[[str], Folder]) -> None:
    with pytest.raises(CorpusError, match="'sqi' is sqi, which is listed twice"):
        declare(
            "name: x, format: conll, kind: spans, task: ner, test: '{language}', languages: {a: sqi, b: als}",
        )


def test_pairs_from_json_lines(write: Write, declare: Callable[[str], Folder]) -> None:
    rows = [
        {"id": 3, "premise": "a", "hypothesis": "b", "label": 2},
        {"id": 4, "premise": "c", "hypothesis": "d", "label": 0},
    ]
    write("a.jsonl", "".join(json.dumps(row) + "\n\n" for row in rows))
    corpora = declare(
        "name: x, format: jsonl, kind: pairs, task: nli, language: yor, train: a.jsonl, "
        "labels: [entailment, neutral, contradiction]"
    )
    assert corpora.dataset("nli", "yor", "train").items == (
        LabelledPair("3", "a", "b", "contradiction"),
        LabelledPair("4", "c", "d", "entailment"),
    )


def test_a_line_that_is_no_object_is_an_error(write: Write, declare: Callable[[str], Folder]) -> None:
    write(
        "a.jsonl",
        '{"premise": "p", "question": "cause", "choice1": "a", "choice2": "b", "label": 0, "id": 1}\n{"id": \n',
    )
    corpora = declare("name: x, format: jsonl, kind: choice, task: copa, language: yor, train: a.jsonl")
    with pytest.raises(CorpusError, match=r"a.jsonl:2: no JSON object"):
        corpora.dataset("copa", "yor", "train")


def test_choices_in_columns_of_ones_own(write: Write, declare: Callable[[str], Folder]) -> None:
    write("a.tsv", "p\ta\tb\tc\tright\nIt rained.\twet\tdry\thot\t0\n")
    corpora = declare(
        "name: x, format: tsv, kind: choice, task: endings, language: yor, train: a.tsv, "
        "columns: {id: null, premise: p, question: null, alternatives: [a, b, c], label: right}"
    )
    assert corpora.dataset("endings", "yor", "train").items == (
        Choice("1", "It rained.", "", ("wet", "dry", "hot"), 0),
    )


def test_numbered_tags_in_parquet(write: Write, declare: Callable[[str], Folder], tmp_path: Path) -> None:
    table = pa.table({"id": ["0", "1"], "tokens": [["Jan", "Kok"], ["Bern"]], "ner_tags": [[1, 2], [3]]})
    pq.write_table(table, tmp_path / "a.parquet")
    block = (
        "name: x, format: parquet, kind: spans, task: ner, language: deu, test: a.parquet, columns: {tags: ner_tags}"
    )
    with pytest.raises(CorpusError, match=r"a.parquet:1: tag 1 is a number; say what it means: `labels:"):
        declare(block).dataset("ner", "deu", "test")
    items = declare(block + ", labels: [O, B-PER, I-PER, B-LOC]").dataset("ner", "deu", "test").items
    assert [item.fields()[2] for item in items] == [("B-PER", "I-PER"), ("B-LOC",)]


def test_squad_has_its_questions_by_article(write: Write, declare: Callable[[str], Folder]) -> None:
    write("a.json", squad([("q1", "Who?", "Anna Berg"), ("q2", "Where?", "Lund")], [("q3", "When?", "1901")]))
    corpora = declare("name: x, format: squad, task: qa, language: swe, test: a.json")
    items = corpora.dataset("qa", "swe", "test").items
    assert all(isinstance(item, PassageQuestion) for item in items)
    assert [(item.id, item.passage) for item in items] == [
        ("q1", "article #1"),
        ("q2", "article #1"),
        ("q3", "article #2"),
    ]


def test_an_answer_that_is_elsewhere_is_an_error_with_its_line(write: Write, declare: Callable[[str], Folder]) -> None:
    text = squad([("q1", "Who?", "Anna Berg"), ("q2", "Where?", "Lund")]).replace(
        '"answer_start": 22', '"answer_start": 23'
    )
    path = write("a.json", text)
    corpora = declare("name: x, format: squad, task: qa, language: swe, test: a.json")
    with pytest.raises(CorpusError, match="answer 'Lund' is not in its passage at 23") as caught:
        corpora.dataset("qa", "swe", "test")
    line = path.read_text(encoding="utf-8").split("\n")[(caught.value.line or 0) - 1]
    assert '"q2"' in line


def test_other_json_is_no_squad(write: Write, declare: Callable[[str], Folder]) -> None:
    write("a.json", '{"data": [{"title": "t"}]}')
    with pytest.raises(CorpusError, match=r"not SQuAD's JSON .*paragraphs"):
        declare("name: x, format: squad, task: qa, language: swe, test: a.json").dataset("qa", "swe", "test")


def test_a_corpus_without_splits_is_split_by_document_alike_in_every_language(
    write: Write, declare: Callable[[str], Folder]
) -> None:
    for code in ("swe", "deu"):
        articles = [[(f"q{n}-{m}", "Where?", "Lund") for m in range(3)] for n in range(60)]
        write(f"{code}.json", squad(*(articles if code == "swe" else articles[:40])))
    corpora = declare(
        "name: x, format: squad, task: qa, languages: [swe, deu], all: '{language}.json', parallel: x, "
        "split: {train: 0.5, test: 0.5}"
    )
    splits = {
        (code, split): corpora.dataset("qa", code, split) for code in ("swe", "deu") for split in ("train", "test")
    }  # type: ignore[misc]
    ids = {key: {item.id for item in data.items} for key, data in splits.items()}
    assert len(ids["swe", "train"]) + len(ids["swe", "test"]) == 180
    assert ids["deu", "train"] <= ids["swe", "train"]
    assert ids["deu", "test"] <= ids["swe", "test"]
    assert {id_.split("-")[0] for id_ in ids["swe", "train"]}.isdisjoint(
        id_.split("-")[0] for id_ in ids["swe", "test"]
    )
    assert all(40 < len(found) < 140 for (code, _), found in ids.items() if code == "swe")
    assert "split by a hash of documents" in str(splits["swe", "test"].provenance)


def test_shares_are_met_about() -> None:
    items = [LabelledPair(str(n), "a", "b", "x") for n in range(2000)]
    counts = [split_of(item, {"train": 0.7, "dev": 0.1, "test": 0.2}) for item in items]
    assert [round(counts.count(split) / 2000, 1) for split in ("train", "dev", "test")] == [0.7, 0.1, 0.2]  # type: ignore[arg-type]


def test_intents_and_slots_of_one_file(write: Write, declare: Callable[[str], Folder], tmp_path: Path) -> None:
    comments = "# id = 1\n# text = Regnet es heute?\n# intent = weather/find\n"
    write("a.conll", comments + "1\tRegnet\tweather/find\tB-what\n2\tes\tweather/find\tO\n")
    (tmp_path / "corpora.yaml").write_text(
        "corpora:\n"
        "  - {name: x, format: conll, kind: classification, task: intents, language: deu, test: a.conll,\n"
        "     columns: {token: 1, tag: 3, label: intent}}\n"
        "  - {name: x, format: conll, kind: spans, task: slots, language: deu, test: a.conll,\n"
        "     columns: {token: 1, tag: -1, id: id}}\n",
        encoding="utf-8",
    )
    corpora = open_corpora(tmp_path)
    assert corpora.dataset("intents", "deu", "test").items[0].fields() == ["1", "Regnet es heute?", "weather/find"]
    assert corpora.dataset("slots", "deu", "test").items[0].fields() == ["1", ("Regnet", "es"), ("B-what", "O")]


@pytest.mark.parametrize(
    ("block", "problem"),
    [
        ("format: cvs, task: t, train: a", "format 'cvs' is not one of .*; nearest: csv"),
        ("format: tsv, kind: pair, task: t, train: a", "kind 'pair' is not one of .*; nearest: pairs"),
        ("format: jsonl, task: t, train: a", "`kind` is missing: what a file in jsonl carries"),
        ("format: tsv, task: t, train: a, delimiter: ';'", "`delimiter` means nothing for the format tsv"),
        ("format: tsv, task: t, train: a, columns: {txt: b}", "role 'txt' is not one of .*; nearest: text"),
        ("format: squad, task: t, all: a", "`all` .* and `split` .* go together"),
        ("format: squad, task: t, all: a, split: {train: 0.5, test: 0.4}", "shares add up to 0.9, not to 1"),
        ("format: squad, task: t, all: a, train: b, split: {train: 0.5, test: 0.5}", "not both"),
    ],
)
def test_what_means_nothing_is_refused(declare: Callable[[str], Folder], block: str, problem: str) -> None:
    with pytest.raises(CorpusError, match=problem):
        declare(f"name: x, language: yor, {block}")
