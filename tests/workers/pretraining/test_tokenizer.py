"""The tokenizer: what goes in comes out, in every script it saw."""

import json
from pathlib import Path

import pytest
from tokenizers import Tokenizer

from workers.pretraining.texts import SPECIAL, save_tokenizer, train_tokenizer

TEXTS = {
    "eng": ["the dog saw the cat, twice.", "the cat saw 42 dogs!"] * 5,
    "rus": ["собака видела кошку.", "кошка видела собаку?"] * 5,
    "tha": ["แมวเห็นหมา"] * 5,
}


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return train_tokenizer(TEXTS, 150, seed=0)


@pytest.mark.parametrize("sentence", [sentence for sentences in TEXTS.values() for sentence in sentences[:2]])
def test_sentence_comes_back(tokenizer: Tokenizer, sentence: str) -> None:
    encoded = tokenizer.encode(sentence)
    assert (encoded.ids[0], encoded.ids[-1]) == (SPECIAL.index("<s>"), SPECIAL.index("</s>"))
    assert tokenizer.decode(encoded.ids) == sentence


def test_special_tokens_have_the_first_ids(tokenizer: Tokenizer) -> None:
    assert [tokenizer.token_to_id(token) for token in SPECIAL] == [0, 1, 2, 3, 4]
    assert len(SPECIAL) < tokenizer.get_vocab_size() <= 150


def test_digits_and_punctuation_stand_alone(tokenizer: Tokenizer) -> None:
    tokens = tokenizer.encode("the cat, 42.", add_special_tokens=False).tokens
    assert {"4", "2", ",", "."} <= {token.strip("▁") for token in tokens}


def test_unseen_script_is_unknown_rather_than_nothing(tokenizer: Tokenizer) -> None:
    assert "<unk>" in tokenizer.encode("ⴰⴱ", add_special_tokens=False).tokens


def test_same_text_and_seed_give_the_same_tokenizer(tokenizer: Tokenizer) -> None:
    assert train_tokenizer(dict(reversed(TEXTS.items())), 150, seed=0).to_str() == tokenizer.to_str()


def test_large_language_does_not_crowd_out_a_small_one() -> None:
    texts = {"eng": [f"{'abcdefgh'[n % 8] * 5} word" for n in range(40_000)], "yor": ["ọmọ ilé"] * 3000}
    whole = train_tokenizer(texts, 80, seed=0)
    assert len(whole.encode("ọmọ", add_special_tokens=False).ids) == 1


def test_files_are_what_transformers_opens(tokenizer: Tokenizer, tmp_path: Path) -> None:
    save_tokenizer(tokenizer, tmp_path, 77)
    settings = json.loads((tmp_path / "tokenizer_config.json").read_text())
    assert (settings["model_max_length"], settings["mask_token"]) == (77, "<mask>")
    assert Tokenizer.from_file(str(tmp_path / "tokenizer.json")).to_str() == tokenizer.to_str()
