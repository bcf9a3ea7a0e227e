"""What encoders were pretrained on: by name, and as a store was told."""

from __future__ import annotations

import csv
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

import pytest
from deltalake import DeltaTable

from matrices.cells import Cell
from matrices.encoders import ENCODERS, UnknownEncoderError, known_encoder, pretrained_on, saw
from matrices.languages import resolve
from matrices.snapshot_of_store import read_snapshot
from matrices.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.open(tmp_path / "store", create=True)


@pytest.mark.parametrize(
    "name", ["xlm-roberta-base", "FacebookAI/xlm-roberta-large", "XLM-R", "xlm-roberta-base@e73636d4", "XLM-R base"]
)
def test_an_encoder_goes_by_its_name_whoever_published_it(name: str) -> None:
    found = known_encoder(name)

    assert {"deu", "swa", "gla", "nor"} <= found
    assert not {"yor", "wol", "fao"} & found


def test_what_one_encoder_saw_another_may_not_have() -> None:
    assert "yor" in known_encoder("google-bert/bert-base-multilingual-cased")
    assert "amh" not in known_encoder("mBERT")
    assert {"yor", "amh", "haw"} <= known_encoder("google/mt5-base")
    assert known_encoder("intfloat/multilingual-e5-small") == known_encoder("microsoft/mdeberta-v3-base")
    assert {"yor", "nya", "fin"} <= known_encoder("Davlan/afro-xlmr-base")
    assert "fin" not in known_encoder("EuroBERT/EuroBERT-210m")
    assert {"fao", "sme", "kjh"} <= known_encoder("cis-lmu/glot500-base")
    assert "dsb" not in known_encoder("cis-lmu/glot500-base")
    assert {"fao", "sme", "got", "zho", "ara"} <= known_encoder("jhu-clsp/mmBERT-base")


def test_of_another_encoder_nothing_is_known_and_the_known_ones_are_named() -> None:
    assert pretrained_on("encoder@0c491779") is None
    assert pretrained_on("not stated") is None
    with pytest.raises(UnknownEncoderError, match="'mine' was pretrained on is not known; known are: xlm-roberta-base"):
        known_encoder("mine")


def test_whether_a_private_code_was_seen_is_known_of_encoders_that_have_it_alone() -> None:
    assert (saw(None, "yor"), saw({"deu"}, "yor"), saw({"yor"}, "yor")) == (None, False, True)
    assert (saw({"deu"}, "qaa"), saw({"qaa"}, "qaa")) == (None, True)


def test_every_list_is_in_normal_form() -> None:
    text = (files("matrices") / "data" / "encoders.csv").read_text(encoding="utf-8")
    for row in csv.DictReader(text.splitlines()):
        codes = row["languages"].split()
        assert codes == sorted(set(codes))
        assert [resolve(code).code for code in codes] == codes


def test_what_a_store_is_told_comes_back_and_what_was_said_last_counts(store: Store) -> None:
    assert store.pretrained("mine@01234567") is None

    store.keep_pretrained("mine@01234567", ["deu", "eng"])
    store.keep_pretrained("mine@89abcdef", ["yor"])
    assert store.pretrained("mine@01234567") == {"deu", "eng"}

    store.keep_pretrained("mine@01234567", ["deu"])
    assert store.pretrained("mine@01234567") == {"deu"}
    assert store.pretrained("mine@89abcdef") == {"yor"}


def test_what_is_there_already_is_not_written_again(store: Store) -> None:
    for languages in (["deu", "eng"], ["eng", "deu"], ["deu", "eng", "eng"]):
        store.keep_pretrained("mine@01234567", languages)

    assert DeltaTable(f"{store.uri}/{ENCODERS.folder}").version() == 0


def test_a_store_is_believed_before_a_name(store: Store) -> None:
    assert "fra" in (store.pretrained("xlm-roberta-base@01234567") or ())

    store.keep_pretrained("xlm-roberta-base@01234567", ["deu"])
    assert store.pretrained("xlm-roberta-base@01234567") == {"deu"}


def test_what_is_held_knows_what_the_store_knew(store: Store, make_cell: Callable[..., Cell]) -> None:
    store.append([make_cell(encoder="mine@01234567")])
    store.keep_pretrained("mine@01234567", ["deu"])
    snapshot = read_snapshot(store)
    store.keep_pretrained("mine@01234567", ["eng"])

    assert snapshot.pretrained("mine@01234567") == {"deu"}
    assert snapshot.pretrained("another") is None
