"""A folder with a manifest: what its rows mean here, and every real file once."""

import csv
import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from matrices.languages import resolve
from workers.corpora import open_corpora
from workers.corpora.checks import check, facts_of
from workers.corpora.folder import Folder
from workers.corpora.types import CorpusError, Split
from workers.tasks.classification import LabelledText
from workers.tasks.tagging import TaggedSentence

Write = Callable[..., Path]
HEADER = ("path", "language", "task", "split", "items", "licence", "non_commercial", "sha256")
TREEBANK = "# sent_id = s1\n1\ta\t_\tX" + "\t_" * 6 + "\n"


@pytest.fixture
def manifest(write: Write, tmp_path: Path) -> Callable[..., Path]:
    """A folder of files given as (path, language, task, split, content)."""

    def _manifest(*files: tuple[str, str, str, str, str]) -> Path:
        rows = [",".join(HEADER)]
        for path, language, task, split, content in files:
            digest = hashlib.sha256(write(path, content).read_bytes()).hexdigest()
            rows.append(f"{path},{language},{task},{split},1,CC0,yes,{digest}")
        write("manifest.csv", "\n".join(rows) + "\n")
        return tmp_path

    return _manifest


def test_treebank_is_pos_and_parallel_treebank_is_pud(manifest: Callable[..., Path]) -> None:
    root = manifest(
        ("ud/yor/Yoruba-YTB/train.conllu", "yor", "ud-pos-dep", "train", TREEBANK),
        ("ud/eng/English-PUD/test.conllu", "eng", "ud-pos-dep-pud", "test", TREEBANK),
    )
    corpora = open_corpora(root)
    assert corpora.dataset("pos", "yor", "train").items == (TaggedSentence("s1", ("a",), ("X",)),)
    pud = corpora.dataset("pud", "eng", "test")
    assert (pud.parallel, pud.provenance.corpus, pud.provenance.non_commercial) == ("pud", "English-PUD", True)
    assert not corpora.has("pud", "eng", "train")


def test_what_is_tested_on_a_parallel_treebank_is_trained_on_the_largest_other_one(
    manifest: Callable[..., Path],
) -> None:
    root = manifest(
        ("ud/eng/English-EWT/train.conllu", "eng", "ud-pos-dep", "train", TREEBANK),
        ("ud/eng/English-EWT/test.conllu", "eng", "ud-pos-dep", "test", TREEBANK),
        ("ud/eng/English-PUD/test.conllu", "eng", "ud-pos-dep-pud", "test", TREEBANK),
        ("ud/deu/German-GSD/train.conllu", "deu", "ud-pos-dep", "train", TREEBANK),
    )
    corpora = open_corpora(root)
    train, test = (corpora.dataset("pud", "eng", split) for split in ("train", "test"))
    assert (train.provenance.files, train.parallel) == (("ud/eng/English-EWT/train.conllu",), None)
    assert (test.provenance.files, test.parallel) == (("ud/eng/English-PUD/test.conllu",), "pud")
    assert test.provenance.corpus == "English-PUD after English-EWT"
    assert corpora.dataset("pos", "eng", "test").provenance.files == ("ud/eng/English-EWT/test.conllu",)
    assert not corpora.has("pud", "deu", "train")


def test_tagged_text_spans_and_topics(manifest: Callable[..., Path]) -> None:
    root = manifest(
        ("masakhapos/yor/train.txt", "yor", "pos", "train", "a NOUN\n"),
        ("masakhaner2/yor/train.txt", "yor", "ner", "train", "a I-PER\n"),
        (
            "sib200/yor_Latn/dev.tsv",
            "yor",
            "topic-classification",
            "dev",
            "index_id\tcategory\ttext\n7\tsports\tGoal\n",
        ),
    )
    corpora = open_corpora(root)
    assert corpora.dataset("pos", "yor", "train").items[0] == TaggedSentence("1", ("a",), ("NOUN",))
    assert corpora.dataset("ner", "yor", "train").kind == "spans"
    assert corpora.dataset("ner", "yor", "train").items[0] == TaggedSentence("1", ("a",), ("B-PER",))
    assert corpora.dataset("topic", "yor", "dev").items[0] == LabelledText("7", "Goal", "sports")
    assert corpora.dataset("topic", "yor", "dev").parallel == "sib200"


def test_raw_text_with_and_without_alignment(manifest: Callable[..., Path]) -> None:
    root = manifest(
        ("text/yor/ntrex.yor.txt", "yor", "raw-text-parallel", "text", "one\r\n"),
        ("text/yor/udhr.txt", "yor", "raw-text", "text", "two\n"),
    )
    corpora = open_corpora(root)
    raw = corpora.text("yor")
    assert raw is not None
    assert raw.sentences == ("one", "two")
    assert corpora.parallel_text() == {"yor": {"ntrex:1": "one"}}
    assert [entry.corpus for entry in corpora.entries()] == ["ntrex.yor", "udhr"]


def test_other_tasks_and_label_lists_are_left_out(manifest: Callable[..., Path]) -> None:
    root = manifest(
        ("treebank/ara.txt", "ara", "parsing", "test", "{}"),
        ("sib200/labels.txt", "mul", "topic-classification", "labels", "travel\n"),
    )
    assert open_corpora(root).entries() == []


def test_language_is_brought_to_normal_form(manifest: Callable[..., Path]) -> None:
    root = manifest(("ud/arb/Arabic-X/test.conllu", "arb", "ud-pos-dep", "test", TREEBANK))
    assert open_corpora(root).has("pos", "ara", "test")


def test_altered_file_is_refused_when_it_is_read(manifest: Callable[..., Path], write: Write) -> None:
    root = manifest(("masakhapos/yor/train.txt", "yor", "pos", "train", "a NOUN\n"))
    write("masakhapos/yor/train.txt", "a VERB\n")
    corpora = open_corpora(root)
    with pytest.raises(CorpusError, match="SHA-256"):
        corpora.dataset("pos", "yor", "train")


@pytest.mark.parametrize(
    ("text", "line", "problem"),
    [
        ("path,language\n", 1, "the header lacks task, split, items"),
        (",".join(HEADER) + "\na/b/c,xx,ud-pos-dep,test,1,CC0,no,0\n", 2, "unknown language 'xx'"),
        (",".join(HEADER) + "\na/b/c,yor,ud-pos-dep,test,many,CC0,no,0\n", 2, "items 'many' is not a number"),
    ],
)
def test_bad_manifest_is_an_error_with_its_line(write: Write, text: str, line: int, problem: str) -> None:
    path = write("manifest.csv", text)
    with pytest.raises(CorpusError, match=problem) as caught:
        open_corpora(path.parent)
    assert (caught.value.path, caught.value.line) == (str(path), line)


@pytest.fixture(scope="module")
def real(real_corpora: Path) -> Folder:
    return open_corpora(real_corpora)


def manifest_languages(root: Path, *tasks: str) -> set[str]:
    with (root / "manifest.csv").open(encoding="utf-8", newline="") as lines:
        codes = {row["language"] for row in csv.DictReader(lines) if row["task"] in tasks} - {"mul"}
    return {resolve(code).code for code in codes}


TASKS = ("pos", "pud", "ner", "topic", "nli", "qa", "choice", "intents", "slots")


def test_real_folder_lists_every_language_of_every_task(real: Folder, real_corpora: Path) -> None:
    there = {task: {e.language for e in real.entries() if e.task == task} for task in TASKS}
    assert there == {
        "pos": manifest_languages(real_corpora, "pos", "ud-pos-dep"),
        "pud": manifest_languages(real_corpora, "ud-pos-dep-pud"),
        "ner": manifest_languages(real_corpora, "ner"),
        "topic": manifest_languages(real_corpora, "topic-classification"),
        "nli": manifest_languages(real_corpora, "nli"),
        "qa": manifest_languages(real_corpora, "qa-extractive"),
        "choice": manifest_languages(real_corpora, "causal-commonsense-choice"),
        "intents": manifest_languages(real_corpora, "slot-intent"),
        "slots": manifest_languages(real_corpora, "slot-intent"),
    }


@pytest.mark.parametrize("tasks", [("pos", "pud"), ("ner",), ("topic",)], ids="-".join)
def test_every_real_labelled_file_has_the_items_that_the_manifest_counts(real: Folder, tasks: tuple[str, ...]) -> None:
    # Each file once: what is trained on for a parallel treebank is a treebank of the other task.
    of_file = {source.files: source for source in real.labelled if source.entry.task in tasks}
    sources = of_file.values()
    assert {source.entry.task for source in sources} == {*tasks}
    wrong = [source.files for source in sources if len(source.read()) != source.entry.items]
    assert sources
    assert wrong == []


@pytest.mark.parametrize("task", ["ner", "topic", "nli", "intents", "slots"])
def test_real_labels_agree_across_languages(real: Folder, task: str) -> None:
    languages = sorted({entry.language for entry in real.entries() if entry.task == task})
    check([facts_of(real.dataset(task, language, "test")) for language in languages], minimum_items=1)


@pytest.mark.parametrize(
    ("task", "counts"),
    [
        ("nli", {"train": 4737, "dev": 501, "test": 1509}),
        ("qa", {"train": 772, "dev": 49, "test": 369}),
        ("intents", {"train": 300, "test": 500}),
        ("slots", {"train": 300, "test": 500}),
    ],
)
def test_real_splits_have_the_items_that_are_said_of_them(real: Folder, task: str, counts: dict[Split, int]) -> None:
    assert {split: len(real.dataset(task, "deu", split).items) for split in counts} == {
        **counts,
        **({"train": 4742} if task == "nli" else {}),
    }


def test_no_real_item_is_learnt_whose_translation_is_tested(real: Folder) -> None:
    for task in ("nli", "qa", "choice", "intents", "topic"):
        learnt, tested = set(), set()
        for entry in real.entries():
            if entry.task == task and entry.parallel is not None and entry.split in ("train", "test"):
                if real.chosen(task, entry.language) != entry.corpus:
                    continue
                ids = {item.id for item in real.dataset(task, entry.language, entry.split).items}
                (learnt if entry.split == "train" else tested).update(ids)
        assert learnt
        assert not learnt & tested


@pytest.mark.parametrize("task", ["pud", "topic", "qa", "choice", "intents"])
def test_real_parallel_items_have_the_same_ids_in_every_language(real: Folder, task: str) -> None:
    # The same ids, not the same order: Icelandic PUD is sorted differently.
    aligned = [entry for entry in real.entries() if entry.task == task and entry.parallel and entry.split == "test"]
    languages = sorted({entry.language for entry in aligned if real.chosen(task, entry.language) == entry.corpus})
    assert len(languages) > 10
    assert len({frozenset(item.id for item in real.dataset(task, code, "test").items) for code in languages}) == 1


def test_every_real_raw_text_has_the_lines_that_the_manifest_counts(real: Folder) -> None:
    wrong = [text.files for text in real.texts if len(text.read()) != text.entry.items]
    assert len(real.texts) > 400
    assert wrong == []


def test_real_text_of_a_language_is_all_its_files_without_repeats(real: Folder) -> None:
    raw = real.text("yor")
    assert raw is not None
    assert len(raw.sentences) == len(set(raw.sentences)) > 1997
    assert len(raw.provenance) == sum(text.entry.language == "yor" for text in real.texts)


def test_real_parallel_text_has_every_line_in_every_language(real: Folder) -> None:
    aligned = real.parallel_text()
    assert len(aligned) > 100
    assert {len(lines) for lines in aligned.values()} == {1997}
