"""CoNLL: columns, comments and document borders; tags as they stand, spans only in sound IOB2 or BIOES."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from workers.corpora.formats import FORMATS, Options, columns_of, read_items
from workers.rows import CorpusError, Said
from workers.tasks import task_of
from workers.tasks.tagging import TaggedSentence

Write = Callable[..., Path]


def read(path: Path, kind: str, said: Said, options: Options) -> tuple[TaggedSentence, ...]:
    task = task_of(kind)
    said = replace(said, columns=columns_of(task, FORMATS["conll"].columns, said.columns))
    items = read_items(path, FORMATS["conll"], task, said, options)
    return tuple(item for item in items if isinstance(item, TaggedSentence))


def read_tags(path: Path, allowed: Collection[str] | None = None, **options: Any) -> tuple[TaggedSentence, ...]:
    return read(path, "tagging", Said(allowed=allowed), Options(**options))


def read_spans(
    path: Path, types: Sequence[str] | None = None, repair: bool = False, **options: Any
) -> tuple[TaggedSentence, ...]:
    return read(path, "spans", Said(labels=types, repair=repair), Options(repair=repair, **options))


@pytest.mark.parametrize("gap", [" ", "\t"], ids=["space", "tab"])
def test_sentences_are_set_apart_by_empty_lines_and_named_by_position(write: Write, gap: str) -> None:
    path = write("a.txt", f"\na{gap}DET\nb{gap}NOUN\n\n\nc{gap}X")
    assert read_tags(path) == (
        TaggedSentence("1", ("a", "b"), ("DET", "NOUN")),
        TaggedSentence("2", ("c",), ("X",)),
    )


def test_tab_leaves_spaces_in_tokens(write: Write) -> None:
    assert read_tags(write("a.txt", "New York\tPROPN\n"))[0].tokens == ("New York",)


@pytest.mark.parametrize("line", ["token", " X", "a ", "a\t"])
def test_line_that_is_no_pair_is_an_error(write: Write, line: str) -> None:
    with pytest.raises(CorpusError, match="is not a token and a tag") as caught:
        read_tags(write("a.txt", f"a X\n{line}\n"))
    assert caught.value.line == 2


def test_tag_outside_the_allowed_names_the_nearest(write: Write) -> None:
    with pytest.raises(CorpusError, match=r":2: tag 'NOUNS' is not one of NOUN, VERB; nearest: NOUN"):
        read_tags(write("a.txt", "a VERB\nb NOUNS\n"), allowed={"NOUN", "VERB"})


def test_spans_keep_their_tags(write: Write) -> None:
    path = write("a.txt", "a B-PER\nb I-PER\nc B-PER\nd O\ne B-LOC\n")
    assert read_spans(path)[0].tags == ("B-PER", "I-PER", "B-PER", "O", "B-LOC")


@pytest.mark.parametrize("before", ["", "x O\n", "x B-LOC\n", "x I-PER\n\n"], ids=["start", "O", "other", "sentence"])
def test_span_that_was_never_begun_is_an_error(write: Write, before: str) -> None:
    text = before.replace("I-PER", "B-PER") + "a I-PER\n"
    with pytest.raises(CorpusError, match="tag 'I-PER' follows neither 'B-PER' nor 'I-PER'") as caught:
        read_spans(write("a.txt", text))
    assert caught.value.line == text.count("\n")


def test_repair_begins_the_span_there(write: Write) -> None:
    path = write("a.txt", "a I-PER\nb I-PER\nc O\nd B-LOC\ne I-ORG\nf I-ORG\n")
    assert read_spans(path, repair=True)[0].tags == ("B-PER", "I-PER", "O", "B-LOC", "B-ORG", "I-ORG")


def test_repair_leaves_out_a_line_without_a_token(write: Write) -> None:
    path = write("a.txt", "a B-PER\n O\nb O\n")
    assert read_spans(path, repair=True)[0].tokens == ("a", "b")


@pytest.mark.parametrize("tag", ["PER", "B", "X-PER", "B-", "o"])
def test_tag_that_is_not_iob2_is_an_error_even_with_repair(write: Write, tag: str) -> None:
    with pytest.raises(CorpusError, match="is not IOB2"):
        read_spans(write("a.txt", f"a {tag}\n"), repair=True)


def test_span_type_outside_the_allowed_is_an_error(write: Write) -> None:
    with pytest.raises(CorpusError, match="span type 'PERS' is not one of LOC, PER; nearest: PER"):
        read_spans(write("a.txt", "a B-PERS\n"), types=("PER", "LOC"))


@pytest.mark.parametrize("line", ["a b X", "a\tb\tX", "a NNP I-NP I-PER"])
def test_more_columns_are_an_error_that_names_the_key(write: Write, line: str) -> None:
    with pytest.raises(CorpusError, match=r"columns: \{token: 0, tag: -1\}") as caught:
        read_tags(write("a.txt", f"a X\n{line}\n"))
    assert caught.value.line == 2


def test_columns_that_are_said_are_read(write: Write) -> None:
    path = write("a.iob2", "# sent_id = x\n1\tLagos\tB-LOC\t-\t-\n2\tis\tO\t-\t-\n")
    assert read_spans(path, token=1, tag=2)[0].tags == ("B-LOC", "O")
    four = write("b.txt", "Anna NNP I-NP B-PER\nsings VBZ I-VP O\n")
    assert read_spans(four, token=0, tag=-1)[0] == TaggedSentence("1", ("Anna", "sings"), ("B-PER", "O"))


def test_comments_are_no_tokens_and_a_hash_that_is_one_stays(write: Write) -> None:
    path = write("a.txt", "# text = a b\n# global.columns: x\na X\n# Y\n\n# Z\n")
    assert [item.tokens for item in read_tags(path)] == [("a", "#"), ("#",)]


def test_document_borders_are_passages_and_no_items(write: Write) -> None:
    path = write("a.txt", "-DOCSTART- O\n\na X\n\n-DOCSTART- -X- O\n\nb X\n\n# newdoc id = news\nc X\n")
    assert [(item.id, item.passage) for item in read_tags(path)] == [("1", "doc #1"), ("2", "doc #2"), ("3", "news")]


def test_blanks_behind_a_tag_are_no_part_of_it(write: Write) -> None:
    assert read_tags(write("a.txt", "a\tNOUN \nb\tNOUN\t\nc\tNOUN\n"))[0].tags == ("NOUN",) * 3


def test_a_code_before_every_token_is_taken_off(write: Write) -> None:
    path = write("a.txt", "sw:Jina\tO\nsw::\tO\n\nsw:10:30\tO\n")
    assert [item.tokens for item in read_spans(path)] == [("Jina", ":"), ("10:30",)]
    other = write("b.txt", "sw:Jina\tO\nlangu\tO\n")
    assert read_spans(other)[0].tokens == ("sw:Jina", "langu")


def test_bioes_is_the_spans_it_means(write: Write) -> None:
    path = write("a.txt", "a S-PER\nb O\nc B-LOC\nd I-LOC\ne E-LOC\nf S-LOC\n")
    assert read_spans(path)[0].tags == ("B-PER", "O", "B-LOC", "I-LOC", "I-LOC", "B-LOC")


def test_a_bioes_span_is_over_behind_its_end(write: Write) -> None:
    with pytest.raises(CorpusError, match=r"tag 'I-LOC' follows neither .* repair: true"):
        read_spans(write("a.txt", "a B-LOC\nb E-LOC\nc I-LOC\n"))
    assert read_spans(write("b.txt", "a B-LOC\nb E-LOC\nc I-LOC\n"), repair=True)[0].tags[-1] == "B-LOC"


def test_numbers_are_tags_where_labels_say_which(write: Write) -> None:
    path = write("a.txt", "a 1\nb 2\nc 0\n")
    assert read_spans(path, ["O", "B-PER", "I-PER"])[0].tags == ("B-PER", "I-PER", "O")
    with pytest.raises(CorpusError, match=r"labels: \[O, B-TYPE, \.\.\.\]"):
        read_spans(path)
