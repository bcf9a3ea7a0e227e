"""Two-column CoNLL: tags as they stand, spans only in sound IOB2."""

from collections.abc import Callable
from pathlib import Path

import pytest

from workers.corpora.conll import read_spans, read_tags
from workers.corpora.types import CorpusError, TaggedSentence

Write = Callable[..., Path]


@pytest.mark.parametrize("gap", [" ", "\t"], ids=["space", "tab"])
def test_sentences_are_set_apart_by_empty_lines_and_named_by_position(write: Write, gap: str) -> None:
    path = write("a.txt", f"\na{gap}DET\nb{gap}NOUN\n\n\nc{gap}X")
    assert read_tags(path) == (
        TaggedSentence("1", ("a", "b"), ("DET", "NOUN")),
        TaggedSentence("2", ("c",), ("X",)),
    )


def test_tab_leaves_spaces_in_tokens(write: Write) -> None:
    assert read_tags(write("a.txt", "New York\tPROPN\n"))[0].tokens == ("New York",)


@pytest.mark.parametrize("line", ["token", "a b X", " X", "a ", "a\tb\tX"])
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


@pytest.mark.parametrize("tag", ["PER", "B", "E-PER", "B-", "o"])
def test_tag_that_is_not_iob2_is_an_error_even_with_repair(write: Write, tag: str) -> None:
    with pytest.raises(CorpusError, match="is not IOB2"):
        read_spans(write("a.txt", f"a {tag}\n"), repair=True)


def test_span_type_outside_the_allowed_is_an_error(write: Write) -> None:
    with pytest.raises(CorpusError, match="span type 'PERS' is not one of LOC, PER; nearest: PER"):
        read_spans(write("a.txt", "a B-PERS\n"), types=("PER", "LOC"))
