"""CoNLL-U: syntactic words with universal parts of speech, and what a treebank must not be."""

from collections.abc import Callable
from pathlib import Path

import pytest

from workers.corpora.formats import FORMATS, Options, columns_of, read_items
from workers.rows import CorpusError, Said
from workers.tasks.tagging import TASK, TaggedSentence

Write = Callable[..., Path]


def read_conllu(path: Path) -> tuple[TaggedSentence, ...]:
    said = Said(columns=columns_of(TASK, FORMATS["conllu"].columns, {}))
    items = read_items(path, FORMATS["conllu"], TASK, said, Options())
    return tuple(item for item in items if isinstance(item, TaggedSentence))


def word(id_: str, form: str, tag: str) -> str:
    return f"{id_}\t{form}\t_\t{tag}\t_\t_\t_\t_\t_\t_\n"


def sentence(id_: str, *words: str) -> str:
    return f"# sent_id = {id_}\n" + "".join(words) + "\n"


def test_sentence_keeps_its_id_and_its_syntactic_words(write: Write) -> None:
    path = write(
        "a.conllu",
        "# newdoc\n"
        + sentence(
            "doc-1",
            "# text = don't\n",
            word("0.1", "E", "_"),
            word("1-2", "don't", "_"),
            word("1", "do", "AUX"),
            word("2", "n't", "PART"),
            word("2.1", "stop", "VERB"),
        ),
    )
    assert read_conllu(path) == (TaggedSentence("doc-1", ("do", "n't"), ("AUX", "PART"), passage="doc #1"),)


def test_sentences_know_the_document_they_come_from(write: Write) -> None:
    def after(comment: str, *ids: str) -> str:
        return comment + "".join(sentence(id_, word("1", "a", "X")) for id_ in ids)

    path = write(
        "a.conllu",
        after("", "a")
        + after("# newdoc id = news 7\n", "b", "c")
        + after("# newdoc = blog\n", "d")
        + after("# newdoc\n", "e")
        + after("# newdoc_id = another scheme\n", "f"),
    )
    assert [(item.id, item.passage) for item in read_conllu(path)] == [
        ("a", None),
        *(("b", "news 7"), ("c", "news 7")),
        ("d", "blog"),
        *(("e", "doc #3"), ("f", "doc #3")),
    ]


def test_forms_may_hold_spaces_and_a_lone_underscore(write: Write) -> None:
    path = write("a.conllu", sentence("1", word("1", "xin chào", "INTJ"), word("2", "_", "SYM")))
    assert read_conllu(path)[0].tokens == ("xin chào", "_")


def test_sentence_without_an_id_is_named_by_its_position(write: Write) -> None:
    path = write("a.conllu", sentence("x", word("1", "a", "X")) + word("1", "b", "X") + "\n" + word("1", "c", "X"))
    assert [item.id for item in read_conllu(path)] == ["x", "#2", "#3"]


def test_comments_that_stand_alone_are_no_sentence(write: Write) -> None:
    path = write("a.conllu", "# about this file\n\n" + sentence("x", word("1", "a", "X")))
    assert [item.id for item in read_conllu(path)] == ["x"]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("1 a _ X\n", "1 tab-separated columns instead of 10: '1 a _ X'"),
        ("1\ta\t_\tX\n", "4 tab-separated columns instead of 10"),
        (word("2", "a", "X"), "word id '2' where 1 is due"),
        (word("one", "a", "X"), "word id 'one' where 1 is due"),
        (word("2-3", "a", "_"), "word range '2-3' where a range from 1 is due"),
        (word("1", " ", "X"), "an empty form"),
        (word("1", "a", "NN"), r"tag 'NN' is not one of ADJ, .*, X; nearest: NOUN"),
        (word("1", "a", "noun"), "nearest: NOUN"),
        (word("1", "a", "_"), "tag '_' is not one of"),
        (word("1-2", "a", "_"), "a sentence without words"),
        (word("1-3", "a", "_") + word("1", "a", "X"), "a word range up to 3 in a sentence of 1 words"),
    ],
)
def test_malformed_line_is_an_error_with_its_number(write: Write, line: str, problem: str) -> None:
    path = write("a.conllu", sentence("1", word("1", "a", "X")) + line)
    with pytest.raises(CorpusError, match=problem) as caught:
        read_conllu(path)
    assert (caught.value.path, caught.value.line) == (str(path), 4)


def test_repeated_id_is_an_error_that_names_both_places(write: Write) -> None:
    path = write("a.conllu", sentence("1", word("1", "a", "X")) * 2)
    with pytest.raises(CorpusError, match=r":4: id '1' occurs twice \(first on line 1\)"):
        read_conllu(path)


def test_treebank_without_its_text_is_refused(write: Write) -> None:
    path = write("a.conllu", sentence("1", word("1", "_", "NOUN"), word("2", "_", "VERB")))
    with pytest.raises(CorpusError, match="comes without its text"):
        read_conllu(path)


def test_file_of_comments_is_refused(write: Write) -> None:
    with pytest.raises(CorpusError, match="no sentence"):
        read_conllu(write("a.conllu", "# text = nothing\n"))


@pytest.mark.parametrize("first", [word("1", "a", "X"), word("1-2", "am", "_") + word("1", "a", "X")])
def test_missing_blank_line_is_named_as_such(write: Write, first: str) -> None:
    path = write("a.conllu", sentence("x", word("1", "a", "X"), word("2", "b", "X")).rstrip("\n") + "\n" + first)
    with pytest.raises(CorpusError, match="a sentence begins here, and no blank line is before it") as caught:
        read_conllu(path)
    assert caught.value.line == 4
