"""Encoders as they are found: special tokens wherever they stand, heads that are not there, weights that do not fit."""

from __future__ import annotations

import importlib.util
import json
import math
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from adapters_zoo.backbone import Encoder
from adapters_zoo.recipes import LanguageAdapterRecipe
from adapters_zoo.sources import EncoderError, check_encoder
from adapters_zoo.tokens import TokenizerError
from tests.adapters_zoo.layouts import PIECES, bert, deberta_v2, xlm_roberta
from workers.language_modelling import mask_tokens, train_language_adapter
from workers.training import TrainingError

Rewrite = Callable[[dict[str, torch.Tensor]], dict[str, torch.Tensor]]
SENTENCES = [" ".join(PIECES[(start + step) % len(PIECES)] for step in range(9)) for start in range(40)]


def opened(folder: Path) -> Encoder:
    return Encoder(check_encoder(folder))


@pytest.mark.parametrize("make", [xlm_roberta, lambda folder: xlm_roberta(folder, padded=9), bert])
def test_random_replacements_are_ordinary_pieces(make: Callable[[Path], Path], tmp_path: Path) -> None:
    encoder = opened(make(tmp_path))
    pieces = {encoder.tokenizer.token_to_id(piece) for piece in PIECES}
    assert set(encoder.vocabulary.ordinary.tolist()) == pieces
    torch.manual_seed(0)
    ids = torch.full((200, 60), encoder.tokenizer.token_to_id(PIECES[0]))
    masked = mask_tokens(ids, 0.9, encoder.vocabulary)
    drawn = set(masked.ids[masked.chosen].tolist()) - {encoder.special.mask}
    assert drawn == pieces  # Each of 40 pieces is missed with a chance of one in 10 to the 12.


@pytest.mark.parametrize("make", [xlm_roberta, bert])
def test_a_language_adapter_learns_whatever_the_ids_of_special_tokens(
    make: Callable[[Path], Path], tmp_path: Path
) -> None:
    encoder = opened(make(tmp_path))
    recipe = LanguageAdapterRecipe(steps=100, tokens=256, length=32, learning_rate=1e-2)
    outcome = train_language_adapter(encoder, "l", [" ".join(PIECES[:2] * 10)] * 40, recipe)
    assert outcome.loss < 0.8 * math.log(len(PIECES))


def test_special_tokens_are_those_its_own_files_name(tmp_path: Path) -> None:
    special = opened(xlm_roberta(tmp_path / "x")).special
    assert (special.begin, special.pad, special.end, special.unknown, special.mask) == (0, 1, 2, 3, 44)
    special = opened(bert(tmp_path / "b")).special
    assert (special.begin, special.pad, special.end, special.unknown, special.mask) == (8, 0, 9, 7, 10)


def test_role_given_to_another_token_makes_another_encoder(tmp_path: Path) -> None:
    before = check_encoder(xlm_roberta(tmp_path)).digest
    path = tmp_path / "tokenizer_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"cls_token": "</s>"}))
    assert check_encoder(tmp_path).digest != before
    assert opened(tmp_path).special.begin == 2


def test_role_that_no_token_fills_is_named(tmp_path: Path) -> None:
    path = xlm_roberta(tmp_path) / "tokenizer_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"pad_token": "<nothing>"}))
    with pytest.raises(TokenizerError, match=r"'<nothing>' is not in tokenizer\.json for the role 'pad'"):
        opened(tmp_path)


def test_cutting_and_padding_that_a_tokenizer_file_asks_for_are_not_obeyed(tmp_path: Path) -> None:
    encoder = opened(xlm_roberta(tmp_path))
    assert len(encoder.tokenizer.encode(PIECES[0], add_special_tokens=False).ids) == 1
    assert len(encoder.tokenizer.encode(SENTENCES[0], add_special_tokens=False).ids) == 9


def test_tokenizer_without_a_mask_serves_all_but_language_modelling(tmp_path: Path) -> None:
    path = xlm_roberta(tmp_path) / "tokenizer_config.json"
    path.write_text(json.dumps({k: v for k, v in json.loads(path.read_text()).items() if k != "mask_token"}))
    encoder = opened(tmp_path)
    assert encoder.hidden(torch.tensor([[0, 9, 2]])).shape == (1, 3, 32)
    with pytest.raises(TrainingError, match="no mask token"):
        train_language_adapter(encoder, "l", SENTENCES, LanguageAdapterRecipe(steps=1, tokens=64, length=32))


def test_encoder_without_a_language_head_serves_all_but_language_modelling(tmp_path: Path) -> None:
    files = check_encoder(bert(tmp_path / "without", head=False))
    encoder = Encoder(files)
    assert not files.has_language_head
    assert not encoder.has_language_head
    assert check_encoder(bert(tmp_path / "with")).has_language_head
    encoder.add_task_adapter("t", reduction=4)
    assert encoder.hidden(torch.tensor([[8, 12, 9]]), task="t").shape == (1, 3, 32)
    with pytest.raises(ValueError, match="no masked-language-modelling head"):
        encoder.masked_language_logits(torch.zeros(1, 32))


def test_two_openings_of_an_encoder_without_a_head_compute_the_same(tmp_path: Path) -> None:
    ids = torch.tensor([[8, 12, 20, 9]])
    bert(tmp_path, head=False)
    torch.manual_seed(1)
    first = opened(tmp_path).hidden(ids)
    torch.manual_seed(2)
    assert torch.equal(first, opened(tmp_path).hidden(ids))


def renamed(weights: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {f"module.{name}": weight for name, weight in weights.items()}


def without_a_layer(weights: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {name: weight for name, weight in weights.items() if "layer.1." not in name}


def with_a_third_layer(weights: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return weights | {name.replace("layer.1.", "layer.2."): weight.clone() for name, weight in weights.items()}


@pytest.mark.parametrize(
    ("rewrite", "told"),
    [
        (renamed, r"weights that a pass reads are not in the files: .*have no place: module\."),
        (without_a_layer, r"16 weights that a pass reads are not in the files: roberta\.encoder\.layer\.1\."),
        (with_a_third_layer, r"16 have no place: roberta\.encoder\.layer\.2\."),
    ],
)
def test_weights_that_are_missing_or_left_over_are_listed(rewrite: Rewrite, told: str, tmp_path: Path) -> None:
    path = xlm_roberta(tmp_path) / "model.safetensors"
    save_file(rewrite(load_file(path)), path, metadata={"format": "pt"})
    with pytest.raises(EncoderError, match=told):
        opened(tmp_path)


def test_weights_that_no_pass_reads_may_be_there(tmp_path: Path) -> None:
    path = xlm_roberta(tmp_path) / "model.safetensors"
    more = {"roberta.pooler.dense.weight": torch.zeros(32, 32), "classifier.weight": torch.zeros(3, 32)}
    save_file(load_file(path) | more, path, metadata={"format": "pt"})
    assert opened(tmp_path).has_language_head


def test_embeddings_smaller_than_the_vocabulary_are_refused(tmp_path: Path) -> None:
    xlm_roberta(tmp_path)
    path = tmp_path / "tokenizer.json"
    content = json.loads(path.read_text())
    content["model"]["vocab"] |= {f"more{number}": 45 + number for number in range(5)}
    path.write_text(json.dumps(content))
    with pytest.raises(EncoderError, match="the tokenizer gives ids up to 49, and there are embeddings for 45"):
        opened(tmp_path)


@pytest.mark.parametrize("kept", [0, 6, 400, -1])
def test_shard_that_was_cut_short_is_refused_before_it_is_opened(kept: int, tmp_path: Path) -> None:
    path = xlm_roberta(tmp_path) / "model.safetensors"
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(EncoderError, match=r"model\.safetensors: .*fetch it again"):
        check_encoder(tmp_path)


@pytest.mark.parametrize(
    ("name", "shape"), [("lm_head.bias", (44,)), ("roberta.embeddings.word_embeddings.weight", (50, 32))]
)
def test_head_or_embeddings_for_another_vocabulary_are_refused_before_anything_is_opened(
    name: str, shape: tuple[int, ...], tmp_path: Path
) -> None:
    path = xlm_roberta(tmp_path) / "model.safetensors"
    save_file(load_file(path) | {name: torch.zeros(shape)}, path, metadata={"format": "pt"})
    told = rf"model\.safetensors: {re.escape(name)} is for {shape[0]} tokens, and config\.json says vocab_size 45"
    with pytest.raises(EncoderError, match=told):
        check_encoder(tmp_path)


def test_files_that_changed_since_they_were_checked_are_refused(tmp_path: Path) -> None:
    files, path = check_encoder(xlm_roberta(tmp_path)), tmp_path / "model.safetensors"
    save_file({name: weight + 1 for name, weight in load_file(path).items()}, path, metadata={"format": "pt"})
    with pytest.raises(EncoderError, match=f"its files changed, from {files.digest[:8]} to [0-9a-f]{{8}}, since they"):
        Encoder(files)


@pytest.mark.parametrize("config", [{"peft_type": "LORA", "base_model_name_or_path": "xlm-roberta-base"}, {}])
def test_folder_of_an_adapter_is_told_from_one_of_an_encoder(config: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "adapter_config.json").write_text(json.dumps(config))
    save_file({"weight": torch.zeros(1)}, tmp_path / "adapter_model.safetensors")
    base = config.get("base_model_name_or_path", "the encoder it was trained on")
    with pytest.raises(
        EncoderError, match=rf"an adapter \(adapter_config\.json\), not an encoder; name {base} instead"
    ):
        check_encoder(tmp_path)


def test_an_architecture_that_cannot_be_cut_is_refused(tmp_path: Path) -> None:
    path = deberta_v2(tmp_path) / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"conv_kernel_size": 3}))
    with pytest.raises(EncoderError, match=r"config\.json: deberta-v2 with a convolution"):
        opened(tmp_path)


class TestSentencepiece:
    @pytest.fixture
    def folder(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        """XLM-R's layout as Glot500 ships it: a sentencepiece model, and no `tokenizer.json`."""
        sentencepiece = pytest.importorskip("sentencepiece")
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
        text, model = tmp_path / "text", tmp_path / "pieces"
        text.write_text("\n".join(SENTENCES), encoding="utf-8")
        sentencepiece.SentencePieceTrainer.train(
            input=str(text), model_prefix=str(model), vocab_size=44, model_type="unigram", hard_vocab_limit=False
        )
        pieces = sentencepiece.SentencePieceProcessor(model_file=f"{model}.model").get_piece_size()
        # Theirs: three special tokens of sentencepiece become four, and `<mask>` is the last.
        folder = xlm_roberta(tmp_path / "encoder", vocabulary=pieces + 2)
        (folder / "tokenizer.json").unlink()
        shutil.copy(f"{model}.model", folder / "sentencepiece.bpe.model")
        return folder

    def test_it_is_converted_into_the_cache_and_reads_as_it_does(self, folder: Path, tmp_path: Path) -> None:
        import sentencepiece

        before = set(folder.iterdir())
        encoder = opened(folder)
        assert set(folder.iterdir()) == before
        assert [path.suffix for path in (tmp_path / "cache").rglob("*.*")] == [".json"]
        special = encoder.special
        assert (special.begin, special.pad, special.end, special.unknown) == (0, 1, 2, 3)
        assert special.mask == encoder.vocabulary.size - 1
        model = sentencepiece.SentencePieceProcessor(model_file=str(folder / "sentencepiece.bpe.model"))
        for sentence in SENTENCES[:5]:
            ids = encoder.tokenizer.encode(sentence, add_special_tokens=False).ids
            assert ids == [piece + 1 for piece in model.encode(sentence)]
        outcome = train_language_adapter(encoder, "l", SENTENCES, LanguageAdapterRecipe(steps=2, tokens=64, length=16))
        assert math.isfinite(outcome.loss)

    def test_the_model_is_part_of_what_the_encoder_is(self, folder: Path) -> None:
        before, path = check_encoder(folder).digest, folder / "sentencepiece.bpe.model"
        path.write_bytes(path.read_bytes() + b"\0")
        assert check_encoder(folder).digest != before
        with pytest.raises(EncoderError, match=r"sentencepiece\.bpe\.model: not a sentencepiece model"):
            opened(folder)

    def test_without_the_extra_the_error_names_it(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        find = importlib.util.find_spec
        monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "sentencepiece" else find(name))
        with pytest.raises(EncoderError, match=r"pip install 'sprachbund\[sentencepiece\]'"):
            check_encoder(folder)
