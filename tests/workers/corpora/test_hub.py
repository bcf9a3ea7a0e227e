"""Data sets in the hub's layout, from a local folder: the same types and checks as files."""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from workers.corpora import open_corpora
from workers.corpora.folder import Folder
from workers.corpora.types import CorpusError
from workers.tasks.classification import LabelledText
from workers.tasks.tagging import TaggedSentence

datasets = pytest.importorskip("datasets", reason="the extra `hub` is not installed")

NAMES = ["O", "B-PER", "I-PER"]


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", str(tmp_path / "cache"))
    datasets.disable_progress_bars()


@pytest.fixture
def declare(tmp_path: Path) -> Callable[..., Folder]:
    """A folder whose ``corpora.yaml`` has one hub block over the data set in ``set``."""

    def _declare(block: str, language: str = 'language: "yor"') -> Folder:
        (tmp_path / "corpora.yaml").write_text(f"hub:\n  - {{folder: set, {language}, {block}}}\n", encoding="utf-8")
        return open_corpora(tmp_path)

    return _declare


def write_tagged(folder: Path, split: str, tags: list[list[int]]) -> None:
    """A Parquet split whose tags are numbers of named classes, as the hub keeps them."""
    tokens = [[f"w{n}" for n in range(len(row))] for row in tags]
    features = datasets.Features(
        {
            "tokens": datasets.List(datasets.Value("string")),
            "ner_tags": datasets.List(datasets.ClassLabel(names=NAMES)),
        }
    )
    folder.mkdir(parents=True, exist_ok=True)
    data = datasets.Dataset.from_dict({"tokens": tokens, "ner_tags": tags}, features=features)
    data = data.add_column("key", [f"k{n}" for n in range(len(tags))])
    data.to_parquet(str(folder / f"{split}-00000-of-00001.parquet"))


SPANS = "task: ner, kind: spans, columns: {tags: ner_tags}, train: train, dev: validation"


def test_numbers_of_classes_become_their_names(declare: Callable[..., Folder], tmp_path: Path) -> None:
    write_tagged(tmp_path / "set" / "data", "train", [[1, 2, 0], [0]])
    write_tagged(tmp_path / "set" / "data", "validation", [[1]])
    corpora = declare(SPANS)
    assert corpora.dataset("ner", "yor", "train").items == (
        TaggedSentence("1", ("w0", "w1", "w2"), ("B-PER", "I-PER", "O")),
        TaggedSentence("2", ("w0",), ("O",)),
    )
    assert corpora.dataset("ner", "yor", "dev").items[0] == TaggedSentence("1", ("w0",), ("B-PER",))


def test_sentences_keep_the_ids_of_a_column(declare: Callable[..., Folder], tmp_path: Path) -> None:
    write_tagged(tmp_path / "set" / "data", "train", [[0], [1]])
    corpora = declare("task: ner, kind: spans, columns: {id: key, tags: ner_tags}, train: train")
    assert [item.id for item in corpora.dataset("ner", "yor", "train").items] == ["k0", "k1"]


def test_spans_are_checked_as_in_files(declare: Callable[..., Folder], tmp_path: Path) -> None:
    write_tagged(tmp_path / "set" / "data", "train", [[0], [0, 2]])
    with pytest.raises(CorpusError, match=r"set/train:2: tag 'I-PER' follows neither"):
        declare(SPANS).dataset("ner", "yor", "train")


def test_text_and_labels_from_json_lines(declare: Callable[..., Folder], tmp_path: Path) -> None:
    rows = [{"key": 7, "text": "Goal", "topic": "sports"}, {"key": 8, "text": "Vote", "topic": "politics"}]
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "test.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    block = "task: topic, kind: classification, columns: {id: key, label: topic}, test: test"
    items = declare(block).dataset("topic", "yor", "test").items
    assert items == (LabelledText("7", "Goal", "sports"), LabelledText("8", "Vote", "politics"))


@pytest.mark.parametrize(
    ("columns", "problem"),
    [
        ({"text": ["a", "b"], "label": ["x", None]}, "set/test:2: label None names no class"),
        ({"text": ["a", " "], "label": ["x", "x"]}, "set/test:2: an empty text"),
        ({"text": ["a", "b"], "label": ["x", "sport"]}, "set/test:2: label 'sport' is not one of sports, x"),
        ({"text": ["a"], "labels": ["x"]}, "set/test: column 'label' is not one of labels, text; nearest: labels"),
        ({"id": ["1", "1"], "text": ["a", "b"], "label": ["x", "x"]}, "set/test:2: id '1' occurs twice"),
    ],
)
def test_bad_row_is_an_error_with_its_number(
    declare: Callable[..., Folder], tmp_path: Path, columns: dict[str, list[str | None]], problem: str
) -> None:
    (tmp_path / "set").mkdir()
    pq.write_table(pa.table(columns), tmp_path / "set" / "test.parquet")
    named = "columns: {id: id}, " if "id" in columns else ""
    corpora = declare(f"task: topic, kind: classification, {named}labels: [x, sports], test: test")
    with pytest.raises(CorpusError, match=problem):
        corpora.dataset("topic", "yor", "test")


def test_each_language_may_have_a_folder(declare: Callable[..., Folder], tmp_path: Path) -> None:
    for language in ("yo", "ha"):
        (tmp_path / language).mkdir()
        pq.write_table(pa.table({"text": [language], "label": ["x"]}), tmp_path / language / "test.parquet")
    (tmp_path / "corpora.yaml").write_text(
        'hub: [{folder: "{language}", languages: [yo, ha], task: topic, kind: classification, test: test}]\n',
        encoding="utf-8",
    )
    assert open_corpora(tmp_path).dataset("topic", "hau", "test").items == (LabelledText("1", "ha", "x"),)


def test_missing_split_is_an_error(declare: Callable[..., Folder], tmp_path: Path) -> None:
    write_tagged(tmp_path / "set" / "data", "train", [[1]])
    with pytest.raises(CorpusError, match=r"cannot be loaded: .*validation"):
        declare(SPANS).dataset("ner", "yor", "dev")


def test_missing_package_is_an_error_that_says_what_to_install(
    declare: Callable[..., Folder], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(CorpusError, match=r"pip install 'sprachbund\[hub\]'"):
        declare(SPANS).dataset("ner", "yor", "train")


@pytest.mark.parametrize(
    ("block", "problem"),
    [
        ("id: owner/set, task: t, kind: tagging, train: train", "`revision` is missing"),
        ("id: owner/set, revision: main, task: t, kind: tagging, train: train", "revision.*pattern"),
        ("id: o/s, folder: set, task: t, kind: tagging, train: train", "say `id` .* or `folder`"),
        ("folder: set, task: t, kind: tagging", "no split"),
    ],
)
def test_block_must_pin_one_data_set(tmp_path: Path, block: str, problem: str) -> None:
    (tmp_path / "corpora.yaml").write_text(f"hub:\n  - {{language: yor, {block}}}\n", encoding="utf-8")
    with pytest.raises(CorpusError, match=problem) as caught:
        open_corpora(tmp_path)
    assert caught.value.line == 2
