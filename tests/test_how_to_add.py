"""What docs/how-to-add.md shows does what it says: its code is run as it stands there."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers

from adapters_zoo import methods
from adapters_zoo.architectures import ARCHITECTURES
from adapters_zoo.backbone import Encoder
from adapters_zoo.recipes import TaskRecipe
from adapters_zoo.sources import check_encoder
from matrices.backtest.methods import sprachbund
from matrices.backtest.protocol import judge_all
from matrices.measures.catalogue import MEASURES
from matrices.measures.registry import measure
from matrices.scores import ScoreTable
from matrices.store import Store
from tests.adapters_zoo.layouts import bert
from workers.corpora import open_corpora
from workers.corpora.formats import FORMATS
from workers.corpora.types import CorpusError
from workers.encoding import encode_items
from workers.evaluation import Contestant, evaluate
from workers.hidden_states import CachedText
from workers.tasks.scoring import score
from workers.training import train_task_adapter

PAGE = Path(__file__).parent.parent / "docs" / "how-to-add.md"


def shown(section: str) -> dict[str, Any]:
    """What the code of a section of the page defines."""
    text = PAGE.read_text(encoding="utf-8").partition(f"\n## {section}\n")[2].partition("\n## ")[0]
    blocks = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert blocks, f"{section}: no code"
    names: dict[str, Any] = {"np": np, "__name__": "page"}
    exec(compile("\n".join(blocks), f"{PAGE.name}: {section}", "exec"), names)
    return names


@pytest.fixture
def labelled(tiny_corpora: Path, tmp_path: Path) -> Path:
    """A folder whose texts tell their label, in the format of the page."""
    text = open_corpora(tiny_corpora).text("qac")
    assert text is not None
    words = sorted(set(" ".join(text.sentences).split()))
    lines = [f"{words[n % 2]} {words[n % 2]} [{('low', 'high')[n % 2]}]" for n in range(24)]
    (tmp_path / "a.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (tmp_path / "corpora.yaml").write_text(
        "corpora: [{name: own, format: bracketed, task: half, language: qac, train: a.txt}]\n", encoding="utf-8"
    )
    return tmp_path


@pytest.fixture
def bracketed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(FORMATS, "bracketed", shown("A corpus format")["BRACKETED"])  # type: ignore[arg-type]


@pytest.mark.usefixtures("bracketed")
def test_a_corpus_format(labelled: Path) -> None:
    data = open_corpora(labelled).dataset("half", "qac", "train")
    assert (len(data.items), data.labels) == (24, ("high", "low"))

    (labelled / "a.txt").write_text("a text without one\n", encoding="utf-8")
    with pytest.raises(CorpusError, match=r"a\.txt:1: no label in brackets"):
        open_corpora(labelled).dataset("half", "qac", "train")


def test_an_architecture(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(ARCHITECTURES, "electra", shown("An architecture")["ELECTRA"])
    folder = bert(tmp_path / "encoder")
    rows = transformers.BertConfig.from_pretrained(folder).vocab_size
    shape = {"embedding_size": 32, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}
    config = transformers.ElectraConfig(vocab_size=rows, intermediate_size=64, max_position_embeddings=66, **shape)
    transformers.ElectraForMaskedLM(config).save_pretrained(folder)

    encoder = Encoder(check_encoder(folder))
    ids = encoder.vocabulary.ordinary[:12].reshape(2, 6)
    encoder.add_task_adapter("t", reduction=2, leave_out=0)
    with torch.no_grad():
        theirs = transformers.ElectraModel.from_pretrained(folder).eval()(ids).last_hidden_state
    with encoder.train("t", dropout=False) as parameters:
        encoder.hidden(ids, torch.ones_like(ids), task="t").square().sum().backward()
        learns = [bool(weight.grad is not None and weight.grad.any()) for weight in parameters]

    torch.testing.assert_close(encoder.hidden(ids, torch.ones_like(ids)), theirs, rtol=1e-4, atol=1e-5)
    assert any(learns)


@pytest.mark.usefixtures("bracketed")
def test_a_method(monkeypatch: pytest.MonkeyPatch, labelled: Path, tiny_encoder_folder: Path) -> None:
    names = shown("A method of learning a task")
    monkeypatch.setitem(methods.METHODS, names["TopRecipe"], names["add_top"])
    encoder = Encoder(check_encoder(tiny_encoder_folder))
    data = open_corpora(labelled).dataset("half", "qac", "train")
    recipe: TaskRecipe = names["TopRecipe"](epochs=20, learning_rate=1e-2)

    head, _ = train_task_adapter(
        encoder, "t", CachedText(encoder, [data], language=None), recipe, labels=data.labels, seed=0
    )
    [outcomes] = evaluate(encoder, data, encode_items(encoder, data), None, [Contestant("t", head)])

    assert score(outcomes) == 1


def test_a_measure(monkeypatch: pytest.MonkeyPatch, make_cell: Callable[..., Any], tmp_path: Path) -> None:
    monkeypatch.setitem(MEASURES, "choice", shown("A measure")["CHOICE"])  # type: ignore[arg-type]
    store = Store.open(tmp_path, create=True)
    right = {("deu", "yor"): (4, 4), ("hin", "yor"): (2, 2), ("deu", "wol"): (3, 3), ("hin", "wol"): (3, 3)}
    store.append(
        [make_cell(source=source, target=target, correct=of, total=(4, 4)) for (source, target), of in right.items()]
    )

    found = measure(store, "zero_shot-pos-tiny", "choice").to_pylist()

    assert [(row["target"], row["gain"]) for row in found] == [("wol", 0.0), ("yor", 0.25)]
    assert all(row["low"] <= row["gain"] <= row["high"] for row in found)


def test_a_predictor_feature() -> None:
    """Scores that hang on a feature alone are predicted by it, and without it are not."""
    random = np.random.default_rng(0)
    codes = ("deu", "eng", "fra", "hin", "jpn", "kor", "swa", "tam", "yor")
    trade = {(source, target): float(random.normal()) for source in codes for target in codes}
    scores = np.array([[0.5 + 0.1 * trade[source, target] for target in codes] for source in codes])
    without = ScoreTable(codes, codes, scores + random.normal(0, 0.01, scores.shape))
    table = shown("A predictor feature")["with_feature"](without, "trade", lambda one, other: trade[one, other])

    regret = {
        name: np.mean([one.regret_at_1 for one in judge_all(known, {"ours": sprachbund})])
        for name, known in {"with": table, "without": without}.items()
    }

    assert regret["with"] < 0.02
    assert regret["without"] > 0.1
