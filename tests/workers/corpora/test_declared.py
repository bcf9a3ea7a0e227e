"""A user's folder: ``corpora.yaml`` says which files are what, and mistakes in it are errors with their line."""

from collections.abc import Callable
from pathlib import Path

import pytest

from workers.corpora import open_corpora
from workers.corpora.types import CorpusError
from workers.tasks.classification import LabelledText
from workers.tasks.tagging import TaggedSentence

Write = Callable[..., Path]
TREEBANK = "# sent_id = s1\n1\ta\t_\tX" + "\t_" * 6 + "\n"
BLOCK = '  - {name: mine, format: conllu, language: "yor", train: yo.conllu}\n'


@pytest.fixture
def declare(write: Write, tmp_path: Path) -> Callable[[str], Path]:
    """A folder with a few files and this ``corpora.yaml``."""
    write("yo.conllu", TREEBANK)
    write("ner.txt", "a I-PER\n")
    write("pos.txt", "a NOUN\n")
    write("lines.txt", "one\ntwo\n")
    for language in ("yo", "ha"):
        write(f"{language}/train.tsv", "key\ttext\tlabel\n7\tGoal\tsports\n")
        write(f"{language}/lines.txt", f"{language} one\n\n{language} three\n")

    def _declare(text: str) -> Path:
        write("corpora.yaml", text)
        return tmp_path

    return _declare


def test_one_line_adds_a_treebank(declare: Callable[[str], Path]) -> None:
    corpora = open_corpora(declare("corpora:\n" + BLOCK))
    dataset = corpora.dataset("pos", "yor", "train")
    assert (dataset.kind, dataset.items) == ("tagging", (TaggedSentence("s1", ("a",), ("X",)),))
    assert (dataset.provenance.corpus, dataset.provenance.files) == ("mine", ("yo.conllu",))


def test_documented_example_is_valid_but_for_its_files(declare: Callable[[str], Path]) -> None:
    document = (Path(__file__).parents[3] / "docs" / "corpora.md").read_text(encoding="utf-8")
    example = document.split("```yaml\n")[2].split("```")[0]
    with pytest.raises(CorpusError, match=r"no file 'yo-train\.conllu' here"):
        open_corpora(declare(example))


@pytest.mark.parametrize(
    ("block", "kind", "tags"),
    [
        ("kind: spans, task: ner, train: ner.txt, repair: true, labels: [PER]", "spans", ("B-PER",)),
        ("kind: tagging, task: ner, train: ner.txt", "tagging", ("I-PER",)),
        ("kind: tagging, task: pos, train: pos.txt", "tagging", ("NOUN",)),
    ],
)
def test_two_column_files_hold_spans_or_tags(
    declare: Callable[[str], Path], block: str, kind: str, tags: tuple[str, ...]
) -> None:
    corpora = open_corpora(declare(f'corpora:\n  - {{name: a, format: conll, language: "wol", {block}}}\n'))
    [entry] = corpora.entries()
    dataset = corpora.dataset(entry.task, "wol", "train")
    assert (dataset.kind, dataset.items[0]) == (kind, TaggedSentence("1", ("a",), tags))


def test_spans_are_strict_unless_repair_is_asked_for(declare: Callable[[str], Path]) -> None:
    block = "{name: a, format: conll, kind: spans, task: ner, language: wol, train: ner.txt}"
    with pytest.raises(CorpusError, match=r"ner\.txt:1: tag 'I-PER' follows neither"):
        open_corpora(declare(f"corpora: [{block}]\n")).dataset("ner", "wol", "train")


def test_tags_of_the_task_pos_are_the_universal_ones(declare: Callable[[str], Path], write: Write) -> None:
    write("pos.txt", "a NN\n")
    block = "{name: a, format: conll, kind: tagging, task: pos, language: wol, train: pos.txt}"
    with pytest.raises(CorpusError, match=r"pos\.txt:1: tag 'NN' is not one of ADJ"):
        open_corpora(declare(f"corpora: [{block}]\n")).dataset("pos", "wol", "train")


def test_several_languages_share_a_block(declare: Callable[[str], Path]) -> None:
    root = declare(
        "corpora:\n"
        "  - name: a\n"
        "    format: tsv\n"
        "    task: topic\n"
        "    languages: [yo, ha]\n"
        "    columns: {id: key}\n"
        '    train: "{language}/train.tsv"\n'
        "    parallel: pairs\n"
        "  - {name: b, format: text, languages: [yo, ha], text: '{language}/lines.txt', parallel: news}\n"
    )
    corpora = open_corpora(root)
    for language in ("yor", "hau"):
        dataset = corpora.dataset("topic", language, "train")
        assert (dataset.items, dataset.parallel) == ((LabelledText("7", "Goal", "sports"),), "pairs")
    assert corpora.parallel_text() == {
        "hau": {"news:1": "ha one", "news:3": "ha three"},
        "yor": {"news:1": "yo one", "news:3": "yo three"},
    }


def test_licence_is_carried_along(declare: Callable[[str], Path]) -> None:
    block = "{name: a, format: text, language: wol, text: lines.txt, licence: CC0, non_commercial: false}"
    raw = open_corpora(declare(f"corpora: [{block}]\n")).text("wol")
    assert raw is not None
    assert raw.sentences == ("one", "two")
    assert (raw.provenance[0].licence, raw.provenance[0].non_commercial) == ("CC0", False)


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (BLOCK.replace("train:", "trian:"), "unknown key .*trian.*did you mean `train`"),
        (BLOCK.replace('"yor"', "no"), 'YAML read a bare `no` as False; quote it: "no"'),
        (BLOCK.replace('"yor"', "Yorubba"), r"unknown language 'Yorubba'; nearest known: yor \(Yoruba\)"),
        (BLOCK.replace("conllu,", "conlu,", 1), "'conllu', 'conll', 'tsv', 'csv' or 'text'"),
        (BLOCK.replace("yo.conllu", "yo.conll"), r"no file 'yo\.conll' here; nearest: yo\.conllu"),
        (BLOCK.replace(", train: yo.conllu", ""), "say at least one of train, dev, test"),
        (BLOCK.replace("train:", "columns: {id: key}, train:"), "`columns` means nothing for the format conllu"),
        (BLOCK.replace(', language: "yor"', ""), "say `language` .one. or `languages` .several."),
        (BLOCK.replace('language: "yor"', 'languages: ["yor", "hau"]'), "would be the same for every one"),
        (BLOCK.replace("conllu, l", "tsv, l"), "`task` is missing"),
        (BLOCK.replace("conllu, l", "conll, task: ner, l"), "`kind` is missing: tagging .* or spans"),
        ("  - {name: a, format: text, language: yor}\n", "raw text needs `text`"),
        ("  - {name: a, format: tsv, task: t, language: yor, train: x, labels: [yes]}\n", "bare `yes`.*quote it"),
        (BLOCK.replace('language: "yor"', "languages: [yo, Yoruba]"), "'yo' is yor, which is listed twice"),
        (BLOCK, "corpus 'other' has pos in yor twice"),
    ],
)
def test_mistake_is_an_error_with_its_line(declare: Callable[[str], Path], line: str, problem: str) -> None:
    other = BLOCK.replace("mine", "other")
    root = declare(f"# ours\ncorpora:\n{other}{other if line == BLOCK else line}")
    with pytest.raises(CorpusError, match=problem) as caught:
        open_corpora(root)
    assert (caught.value.path, caught.value.line) == (str(root / "corpora.yaml"), 4)


@pytest.mark.parametrize("text", ["corpora: []\n", "hub: []\n"])
def test_declaration_of_nothing_is_an_error(declare: Callable[[str], Path], text: str) -> None:
    with pytest.raises(CorpusError, match="no corpora: list at least one"):
        open_corpora(declare(text))


def test_declaration_goes_before_a_manifest(declare: Callable[[str], Path], write: Write) -> None:
    write("manifest.csv", "not read\n")
    assert [entry.corpus for entry in open_corpora(declare("corpora:\n" + BLOCK)).entries()] == ["mine"]


def test_folder_with_neither_is_an_error_that_names_both(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=r"neither corpora\.yaml nor manifest\.csv is here"):
        open_corpora(tmp_path)


def test_missing_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="no such folder"):
        open_corpora(str(tmp_path / "gone"))
