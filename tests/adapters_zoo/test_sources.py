"""Where an encoder comes from, and what is refused before any of it is loaded."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from adapters_zoo.sources import CARD, EncoderError, check_encoder, locate_encoder
from tests.hub import hub

SHA = "0123456789abcdef0123456789abcdef01234567"
OTHER = SHA[::-1]


@pytest.fixture
def folder(tiny_encoder_folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny_encoder_folder, tmp_path / "mine"))


def test_folder_is_looked_up_from_the_place_that_names_it(folder: Path) -> None:
    files = locate_encoder("mine", relative_to=folder.parent)
    assert (files.folder, files.name) == (folder, "mine")
    assert files.label == f"mine@{files.digest[:8]}"


def test_same_bytes_elsewhere_have_the_same_digest(folder: Path, tiny_encoder_folder: Path) -> None:
    assert check_encoder(folder).digest == check_encoder(tiny_encoder_folder).digest


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json", "model.safetensors"])
def test_digest_changes_with_any_byte(folder: Path, name: str) -> None:
    before = check_encoder(folder).digest
    content = (folder / name).read_bytes()
    # A letter of a key in the configuration, so that it stays JSON.
    place = content.rindex(b"vocab") if name == "config.json" else len(content) // 2
    (folder / name).write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
    assert check_encoder(folder).digest != before


def test_digest_changes_with_the_order_of_shards(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "model-00001-of-00001.safetensors")
    digests = set()
    for shard in ("one", "other"):
        (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": {"weight": shard}}))
        digests.add(check_encoder(folder).digest)
    assert len(digests) == 2


def test_what_it_was_pretrained_on_is_as_its_card_says(folder: Path) -> None:
    files = check_encoder(folder)
    assert files.languages == ("qaa", "qab", "qac", "qad", "qae", "qaf")

    (folder / CARD).write_text('{"loss": 3}')
    assert files.languages is None
    (folder / CARD).write_text("[]")
    with pytest.raises(EncoderError, match=r"sprachbund\.json: not a card of an encoder"):
        assert files.languages
    (folder / CARD).unlink()
    assert files.languages is None


@pytest.mark.parametrize("pickled", ["pytorch_model.bin", "model.pt", "model.ckpt"])
def test_pickled_weights_alone_are_refused(folder: Path, pickled: str) -> None:
    (folder / "model.safetensors").rename(folder / pickled)
    with pytest.raises(EncoderError, match=f"only pickled weights \\({pickled}\\)"):
        check_encoder(folder)


def test_safetensors_of_something_else_are_no_weights(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "adapter.safetensors")
    with pytest.raises(EncoderError, match=r"no weights; model\.safetensors is needed"):
        check_encoder(folder)


@pytest.mark.parametrize("model_type", ["gpt2", None, "evil"])
def test_architecture_off_the_allow_list_is_refused(folder: Path, model_type: str | None) -> None:
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"model_type": model_type}))
    with pytest.raises(EncoderError, match=f"{model_type!r} is not allowed; allowed: xlm-roberta, roberta, bert"):
        check_encoder(folder)


@pytest.mark.parametrize("config", ["[]", "{", "3"])
def test_configuration_that_is_no_object_is_refused(folder: Path, config: str) -> None:
    (folder / "config.json").write_text(config)
    with pytest.raises(EncoderError, match="not a JSON object"):
        check_encoder(folder)


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json"])
def test_missing_file_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(EncoderError, match=f"no {name}"):
        check_encoder(folder)


def test_hub_id_without_a_revision_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EncoderError, match="give `revision` too"):
        locate_encoder("org/model", relative_to=tmp_path)


@pytest.mark.parametrize("revision", [SHA + "\n", "", "../main", "-main", "ma in", "é"])
def test_revision_that_names_nothing_is_refused(tmp_path: Path, revision: str) -> None:
    with pytest.raises(EncoderError, match="is no commit, branch or tag"):
        locate_encoder("org/model", revision, relative_to=tmp_path)


@pytest.mark.parametrize("name", ["org", "org/model/file", "org/mo del", "../model", "org/..", "-/-", "org/é"])
def test_malformed_hub_id_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(EncoderError, match=r"not a hub id|nor a hub id"):
        locate_encoder(name, SHA, relative_to=tmp_path)


LOCATE = """
import sys
from adapters_zoo.sources import EncoderError, locate_encoder
try:
    files = locate_encoder("org/model", sys.argv[1])
    print(files.name, files.revision, files.digest)
except EncoderError as error:
    print(error)
"""


def located(cache: Path, revision: str, **settings: str) -> str:
    """In a process of its own, because the hub's library reads its settings when it is imported."""
    environment = os.environ | {"HF_HOME": str(cache)} | settings
    environment.pop("HF_HUB_CACHE", None)
    command = [sys.executable, "-W", "error", "-c", LOCATE, revision]
    ran = subprocess.run(command, capture_output=True, text=True, check=True, env=environment, cwd=cache)
    return ran.stdout.strip()


def located_offline(cache: Path, revision: str) -> str:
    return located(cache, revision, HF_HUB_OFFLINE="1")


def test_pinned_hub_id_comes_from_the_local_cache(tiny_encoder_folder: Path, tmp_path: Path) -> None:
    shutil.copytree(tiny_encoder_folder, tmp_path / "hub" / "models--org--model" / "snapshots" / SHA)
    assert located_offline(tmp_path, SHA) == f"org/model {SHA} {check_encoder(tiny_encoder_folder).digest}"


def test_a_branch_is_the_commit_it_names_now(folder: Path, tiny_encoder_folder: Path, tmp_path: Path) -> None:
    config = (folder / "config.json").read_text(encoding="utf-8")
    (folder / "config.json").write_text(config + "\n", encoding="utf-8")
    before, after = (check_encoder(one).digest for one in (tiny_encoder_folder, folder))
    with hub() as there:
        there.commits, there.branches = {SHA: tiny_encoder_folder, OTHER: folder}, {"main": SHA}
        assert located(tmp_path, "main", HF_ENDPOINT=there.address) == f"org/model {SHA} {before}"
        there.branches["main"] = OTHER
        assert located(tmp_path, "main", HF_ENDPOINT=there.address) == f"org/model {OTHER} {after}"
        assert located(tmp_path, SHA, HF_ENDPOINT=there.address) == f"org/model {SHA} {before}"
        told = located(tmp_path, "mian", HF_ENDPOINT=there.address)
        assert "encoder 'org/model' at mian: cannot be fetched (RevisionNotFoundError)" in told
    assert located_offline(tmp_path, "main") == f"org/model {OTHER} {after}"


def test_hub_id_out_of_reach_says_what_to_do(tmp_path: Path) -> None:
    told = located_offline(tmp_path, SHA)
    assert f"encoder 'org/model' at {SHA}: cannot be fetched" in told
    assert "download it once and give the folder's path" in told
