"""The pretraining run: the same encoder however often it is interrupted, and none made twice."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModelForMaskedLM, AutoTokenizer

from adapters_zoo.backbone import Encoder
from workers.corpora.types import CorpusError
from workers.pretraining import PretrainJob, pretrain

MakeJob = Callable[..., PretrainJob]
FULL = {"embeddings": "aligned", "translation": 0.3, "contrast": 0.3, "languages": ["qaa", "qab"]}
KNOBS: dict[str, dict[str, Any]] = {"masked": {"windows": "anywhere"}, "with translations": FULL}
DEATHS = {"before a checkpoint": (10,), "after checkpoints": (20, 40)}
PRODUCTS = ["config.json", "model.safetensors", "sprachbund.json", "tokenizer.json", "tokenizer_config.json"]


class Killed(Exception):  # noqa: N818 - stands for a death, not an error
    """The process ends here."""


def killer(at: int) -> Callable[[int, int, float], None]:
    def tick(done: int, _of: int, _loss: float) -> None:
        if done >= at:
            raise Killed

    return tick


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("knobs", KNOBS.values(), ids=KNOBS)
@pytest.mark.parametrize("deaths", DEATHS.values(), ids=DEATHS)
def test_interrupted_and_resumed_run_ends_bit_identical(
    job_of: MakeJob, tmp_path: Path, knobs: Mapping[str, Any], deaths: tuple[int, ...]
) -> None:
    whole = pretrain(job_of(**knobs, out=tmp_path / "whole"))
    job = job_of(**knobs)
    for death in deaths:
        with pytest.raises(Killed):
            pretrain(job, killer(death))
        assert not job.out.exists()
    resumed = pretrain(job)
    assert resumed.trained
    assert resumed.encoder.digest == whole.encoder.digest
    assert contents(job.out) == contents(tmp_path / "whole")


def test_run_that_failed_after_its_last_step_is_only_written_down(job_of: MakeJob, tmp_path: Path) -> None:
    pretrain(job_of(out=tmp_path / "whole"))
    job = job_of(checkpoint_every=20)
    with pytest.raises(Killed):
        pretrain(job, killer(10))
    in_the_way = job.out.with_name("encoder.part") / "tokenizer_config.json"
    in_the_way.mkdir()
    with pytest.raises(IsADirectoryError):
        pretrain(job)
    in_the_way.rmdir()
    pretrain(job, killer(0))
    cards = [json.loads((folder / "sprachbund.json").read_text()) for folder in (job.out, tmp_path / "whole")]
    assert cards[0]["loss"] == cards[1]["loss"]


def test_resumed_run_does_not_start_from_the_beginning(job_of: MakeJob) -> None:
    with pytest.raises(Killed):
        pretrain(job_of(), killer(20))
    told: list[int] = []
    pretrain(job_of(), lambda done, _of, _loss: told.append(done))
    assert told == [20, 30, 40]


def test_run_killed_while_its_tokenizer_was_written_starts_it_again(job_of: MakeJob, tmp_path: Path) -> None:
    whole = pretrain(job_of(out=tmp_path / "whole"))
    job = job_of()
    with pytest.raises(Killed):
        pretrain(job, killer(10))
    draft = job.out.with_name("encoder.part")
    content = (draft / "tokenizer.json").read_bytes()
    (draft / "tokenizer.json").unlink()
    (draft / ".tokenizer.json.half").write_bytes(content[: len(content) // 2])
    (draft / ".checkpoint.half.safetensors").write_bytes(content[: len(content) // 2])
    assert pretrain(job).encoder.digest == whole.encoder.digest
    assert contents(job.out) == contents(whole.encoder.folder)


def test_second_call_trains_nothing(job_of: MakeJob) -> None:
    first = pretrain(job_of())
    before = contents(first.encoder.folder)
    second = pretrain(job_of(checkpoint_every=7), killer(0))
    assert not second.trained
    assert second.encoder == first.encoder
    assert contents(second.encoder.folder) == before


@pytest.mark.parametrize("knob", [{"seed": 1}, {"steps": 41}, {"languages": ["qaa"]}], ids=str)
def test_encoder_of_another_recipe_is_not_overwritten(job_of: MakeJob, knob: Mapping[str, Any]) -> None:
    before = contents(pretrain(job_of()).encoder.folder)
    job = job_of(**knob)
    with pytest.raises(FileExistsError, match="holds an encoder of another recipe or text; choose another `out`"):
        pretrain(job)
    assert contents(job.out) == before


def test_folder_of_something_else_is_refused_before_training(job_of: MakeJob) -> None:
    job = job_of()
    job.out.mkdir()
    (job.out / "thesis.tex").touch()
    with pytest.raises(FileExistsError, match="is no encoder made by this command"):
        pretrain(job, killer(0))


def test_draft_of_another_recipe_is_not_resumed(job_of: MakeJob, tmp_path: Path) -> None:
    whole = pretrain(job_of(out=tmp_path / "whole"))
    with pytest.raises(Killed):
        pretrain(job_of(seed=1), killer(20))
    assert pretrain(job_of()).encoder.digest == whole.encoder.digest


def test_other_seed_gives_another_encoder(job_of: MakeJob, tmp_path: Path) -> None:
    digests = {pretrain(job_of(seed=seed, out=tmp_path / str(seed))).encoder.digest for seed in (0, 1)}
    assert len(digests) == 2


@pytest.mark.parametrize("knob", [{"embeddings": "aligned"}, {"translation": 0.5}, {"contrast": 0.5}], ids=str)
@pytest.mark.parametrize("languages", [["qaa", "qac"], ["qac"]])
def test_missing_parallel_text_names_the_keys_that_want_it(
    job_of: MakeJob, knob: Mapping[str, Any], languages: list[str]
) -> None:
    told = "no line of parallel text in two of the languages; set `embeddings: random`, `translation: 0`, `contrast: 0`"
    with pytest.raises(CorpusError, match=told):
        pretrain(job_of(**knob, languages=languages), killer(0))


def test_language_without_text_is_named(job_of: MakeJob) -> None:
    with pytest.raises(CorpusError, match="no raw text for qad, yor"):
        pretrain(job_of(languages=["qaa", "yor", "qad"]))


def test_parallel_corpora_without_a_common_line_are_an_error_and_not_a_search_for_ever(
    job_of: MakeJob, twins: Path, tmp_path: Path
) -> None:
    for language in ("qaa", "qab"):
        (tmp_path / f"{language}.txt").write_bytes((twins / f"{language}.txt").read_bytes())
    blocks = [
        f'  - {{name: {code}s, format: text, language: "{code}", text: {code}.txt, parallel: {code}s}}\n'
        for code in ("qaa", "qab")
    ]
    (tmp_path / "corpora.yaml").write_text("corpora:\n" + "".join(blocks))
    with pytest.raises(CorpusError, match="no line of parallel text in two of the languages"):
        pretrain(job_of(corpora=tmp_path, translation=0.5), killer(0))


def test_folder_opens_with_transformers_and_as_an_encoder(job_of: MakeJob) -> None:
    files = pretrain(job_of(**FULL)).encoder
    assert sorted(contents(files.folder)) == PRODUCTS
    tokenizer = AutoTokenizer.from_pretrained(files.folder)
    model = AutoModelForMaskedLM.from_pretrained(files.folder)
    text = "baba dede"
    ids = tokenizer(text, return_tensors="pt")
    assert (tokenizer.mask_token, tokenizer.pad_token_id, tokenizer.model_max_length) == ("<mask>", 1, 32)
    encoder = Encoder(files)
    assert ids["input_ids"][0].tolist() == encoder.tokenizer.encode(text).ids
    with torch.no_grad():
        states = model.roberta(ids["input_ids"]).last_hidden_state
        torch.testing.assert_close(states, encoder.hidden(ids["input_ids"]))
        logits = model(ids["input_ids"]).logits
        torch.testing.assert_close(logits[0], encoder.masked_language_logits(states[0]))


def test_loss_falls_and_the_card_tells_it(job_of: MakeJob) -> None:
    losses: list[float] = []
    job = job_of(steps=150, learning_rate=1e-2, languages=["qaa"])
    folder = pretrain(job, lambda _done, _of, loss: losses.append(loss)).encoder.folder
    card = json.loads((folder / "sprachbund.json").read_text())
    assert card["loss"] == pytest.approx(losses[-1], abs=1e-3)
    assert card["loss"] < losses[0] - 0.3
    assert (card["languages"], card["corpora"], card["tokens_seen"]) == (["qaa"], ["twins"], 150 * 256)


def test_translations_start_close_where_embeddings_are_aligned(job_of: MakeJob, tmp_path: Path) -> None:
    def closeness(**knobs: Any) -> float:
        """Mean cosine of the pieces of aligned lines, less that of lines that say something else."""
        job = job_of(steps=1, learning_rate=1e-9, languages=["qaa", "qab"], **knobs)
        encoder = Encoder(pretrain(job).encoder)
        weights = load_file(encoder.files.folder / "model.safetensors")["roberta.embeddings.word_embeddings.weight"]
        sides = []
        for language in ("qaa", "qab"):
            lines = (job.corpora / f"{language}.txt").read_text(encoding="utf-8").split("\n")[:50]
            vectors = [weights[encoder.tokenizer.encode(line, add_special_tokens=False).ids].mean(0) for line in lines]
            sides.append(torch.nn.functional.normalize(torch.stack(vectors), dim=1).numpy())
        similar = sides[0] @ sides[1].T
        return float(np.diag(similar).mean() - similar[~np.eye(50, dtype=bool)].mean())

    assert closeness(embeddings="aligned", out=tmp_path / "aligned") > 0.3
    assert abs(closeness(out=tmp_path / "random")) < 0.1
