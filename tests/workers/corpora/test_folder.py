"""A folder of corpora: lists without reading, reads once, and picks one corpus where there are several."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from workers.corpora.folder import TEXT, Folder, Labelled, RawTextFiles
from workers.corpora.types import CorpusError, CorpusOrigin, Entry, Item, Split
from workers.tasks.classification import LabelledText


def entry(task: str, language: str, split: Split | None, corpus: str, items: int | None, parallel: str | None) -> Entry:
    return Entry(
        task, "text" if task == TEXT else "classification", language, split, corpus, items, parallel, "CC0", False
    )


def labelled(
    corpus: str, split: Split, count: int, *, language: str = "yor", task: str = "topic", stated: bool = True
) -> Labelled:
    items = tuple(LabelledText(str(n), f"{corpus} {n}", "x") for n in range(count))
    listed = entry(task, language, split, corpus, count if stated else None, "pairs")
    return Labelled(listed, (f"{corpus}.tsv",), Once(items))


def text(corpus: str, *lines: str, language: str = "yor", parallel: str | None = None) -> RawTextFiles:
    numbered = {str(n): line for n, line in enumerate(lines, start=1)}
    return RawTextFiles(entry(TEXT, language, None, corpus, None, parallel), (f"{corpus}.txt",), lambda: numbered)


class Once:
    """A reader that may be asked one time."""

    def __init__(self, items: tuple[Item, ...]) -> None:
        self.items, self.asked = items, 0

    def __call__(self) -> tuple[Item, ...]:
        self.asked += 1
        assert self.asked == 1, "read twice"
        return self.items


def unreadable() -> Mapping[str, str]:
    raise AssertionError("read without being asked for")


def folder(*sources: Labelled | RawTextFiles) -> Folder:
    return Folder(
        Path("here"),
        tuple(source for source in sources if isinstance(source, Labelled)),
        tuple(source for source in sources if isinstance(source, RawTextFiles)),
    )


def test_listing_reads_nothing_and_is_sorted() -> None:
    here = folder(
        RawTextFiles(entry(TEXT, "hau", None, "a", 3, None), (), unreadable),
        labelled("b", "train", 2),
        labelled("a", "test", 2, task="pos", stated=False),
    )
    there = [(listed.task, listed.language, listed.split, listed.items) for listed in here.entries()]
    assert there == [("pos", "yor", "test", None), ("text", "hau", None, 3), ("topic", "yor", "train", 2)]


def test_counting_reads_only_what_the_folder_does_not_state() -> None:
    here = folder(
        RawTextFiles(entry(TEXT, "hau", None, "a", 3, None), (), unreadable),
        text("b", "one", "two"),
        labelled("c", "train", 5, stated=False),
    )
    assert {listed.corpus: listed.items for listed in here.counted()} == {"a": 3, "b": 2, "c": 5}


def test_dataset_is_read_once_and_says_where_it_comes_from() -> None:
    here = folder(labelled("a", "train", 2))
    dataset = here.dataset("topic", "yor", "train")
    assert here.dataset("topic", "yor", "train") is dataset
    assert [item.id for item in dataset.items] == ["0", "1"]
    assert dataset.provenance == CorpusOrigin("a", ("a.tsv",), "CC0", False)
    assert dataset.parallel == "pairs"


@pytest.mark.parametrize("stated", [True, False], ids=["stated", "counted"])
@pytest.mark.parametrize(
    ("corpora", "chosen"),
    [
        ([("a", "test", 90), ("z", "train", 1)], "z"),
        ([("a", "train", 4), ("b", "train", 5), ("b", "test", 1), ("a", "test", 90)], "b"),
        ([("b", "train", 4), ("a", "train", 4)], "a"),
        ([("b", "test", 9), ("a", "test", 1)], "a"),
    ],
    ids=["train split first", "then most train items", "then name", "name without any train split"],
)
def test_one_corpus_is_chosen_whatever_the_order(
    corpora: list[tuple[str, Split, int]], chosen: str, stated: bool
) -> None:
    for order in (corpora, corpora[::-1]):
        here = folder(*(labelled(*corpus, stated=stated) for corpus in order))
        assert here.chosen("topic", "yor") == chosen


def test_all_splits_come_from_the_chosen_corpus() -> None:
    here = folder(labelled("a", "train", 3), labelled("b", "train", 2), labelled("b", "test", 2))
    assert here.has("topic", "yor", "train")
    assert not here.has("topic", "yor", "test")


@pytest.mark.parametrize(
    ("asked", "problem"),
    [
        (("topics", "yor", "train"), "here: task 'topics' is not one of pos, topic; nearest: topic"),
        (("topic", "yor", "dev"), "no dev split of topic in yor; a has train"),
        (("topic", "wol", "train"), "no topic in wol; topic train is there in yor"),
    ],
)
def test_missing_dataset_is_an_error_that_says_what_is_there(asked: tuple[str, str, Split], problem: str) -> None:
    here = folder(labelled("a", "train", 3), labelled("a", "train", 3, task="pos"))
    assert not here.has(*asked)
    with pytest.raises(CorpusError, match=problem):
        here.dataset(*asked)


def test_text_is_all_corpora_by_name_without_repeats() -> None:
    raw = folder(text("b", "two", "three"), text("a", "one", "two"), text("c", "other", language="hau")).text("yor")
    assert raw is not None
    assert raw.sentences == ("one", "two", "three")
    assert [provenance.corpus for provenance in raw.provenance] == ["a", "b"]


def test_language_without_text_has_none() -> None:
    assert folder(labelled("a", "train", 3)).text("yor") is None


def test_parallel_text_pairs_lines_by_corpus_and_number() -> None:
    here = folder(
        text("n.yo", "ọ̀kan", "èjì", parallel="news"),
        text("n.ha", "ɗaya", "biyu", language="hau", parallel="news"),
        text("other", "unpaired"),
    )
    assert here.parallel_text() == {
        "hau": {"news:1": "ɗaya", "news:2": "biyu"},
        "yor": {"news:1": "ọ̀kan", "news:2": "èjì"},
    }


def test_second_variety_of_a_language_does_not_displace_the_first() -> None:
    here = folder(text("n.eng-US", "color", parallel="news"), text("n.eng", "colour", parallel="news"))
    assert here.parallel_text() == {"yor": {"news:1": "colour"}}
