"""Identities that must not move: a job that ran before this code finds its data, adapters and cells done."""

from __future__ import annotations

from pathlib import Path

import pytest

from matrices.cells import IDENTITY_VERSION, SCHEMA_VERSION
from workers.corpora import open_corpora
from workers.corpora.types import Corpora

DIGESTS = {
    "pos": "875531e97d32dd3e24a25fe7b35036fb5174137b40a9a26919bf80e796d43f8f",
    "ner": "a741ec6ce72906e3eb47a7dd18707ed0b25a225cc6a858406fcaab79940b9881",
    "topic": "1764dfa60fdd6cfb95669ec6a645bc88b398d703e85fa8522fe2ec3ad42085dd",
}


@pytest.fixture
def corpora(tmp_path: Path) -> Corpora:
    (tmp_path / "a.pos").write_text("".join(f"yortest{n}\tNOUN\nruns\tVERB\n\n" for n in range(24)), encoding="utf-8")
    names = "".join(f"yortest{n} B-PER\nBerg I-PER\nvisits O\n\nLundyortest{n} I-LOC\nrains O\n\n" for n in range(12))
    (tmp_path / "a.ner").write_text(names, encoding="utf-8")
    topics = "".join(f"{n}\tyor test ü {n}\t{'sport' if n % 2 else 'travel'}\n" for n in range(24))
    (tmp_path / "a.tsv").write_text("id\ttext\tlabel\n" + topics, encoding="utf-8")
    (tmp_path / "corpora.yaml").write_text(
        "corpora:\n"
        "  - {name: tags, format: conll, kind: tagging, task: pos, language: yor, test: a.pos}\n"
        "  - {name: names, format: conll, kind: spans, repair: true, task: ner, language: yor, test: a.ner}\n"
        "  - {name: topics, format: tsv, task: topic, language: yor, test: a.tsv}\n",
        encoding="utf-8",
    )
    return open_corpora(tmp_path)


@pytest.mark.parametrize(("task", "digest"), DIGESTS.items())
def test_data_sets_have_the_digests_that_cells_were_measured_under(corpora: Corpora, task: str, digest: str) -> None:
    assert corpora.dataset(task, "yor", "test").digest == digest


def test_the_schema_moved_and_identities_did_not() -> None:
    assert (SCHEMA_VERSION, IDENTITY_VERSION) == (2, 1)
