"""Adapters on disk: whole and unaltered, or as good as absent."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from structlog.testing import capture_logs
from torch import Tensor

from adapters_zoo.heads import Head
from adapters_zoo.library import Encoder
from adapters_zoo.sources import check_encoder
from adapters_zoo.zoo import AdapterFileError, Trained, Zoo, adapter_key

IDS = torch.tensor([[0, 17, 40, 23, 9, 2]])
LABELS = ("black", "white")
FILES = ["adapter/adapter.safetensors", "adapter/adapter_config.json", "head.safetensors", "manifest.json"]

Keep = Callable[..., str]


def states(encoder: Encoder, language: str | None, task: str | None = None) -> Tensor:
    with torch.no_grad():
        return encoder.hidden(IDS, language=language, task=task)


def made_from(encoder: Encoder, **more: object) -> dict[str, object]:
    return {"encoder": encoder.files.digest, "what": "task", "rate": 1e-3, "data": ["ä"], **more}


def keep(zoo: Zoo, encoder: Encoder, name: str, head: Head | None = None, **more: object) -> str:
    """Save an adapter as training would; returns its key."""
    origin = made_from(encoder, **more)
    trained = Trained(adapter_key(origin), () if head is None else head.labels, 1.5, 0.25)
    zoo.save(encoder, name, trained, origin, head)
    return trained.key


@pytest.fixture
def zoo(tmp_path: Path) -> Zoo:
    return Zoo(tmp_path / "zoo")


@pytest.fixture
def trained(with_adapters: Callable[..., Encoder]) -> Encoder:
    return with_adapters()


def test_what_was_saved_is_what_is_loaded(zoo: Zoo, trained: Encoder, encoder: Encoder) -> None:
    head = Head(trained.hidden_size, LABELS)
    language, task = keep(zoo, trained, "l1"), keep(zoo, trained, "t1", head, seed=1)
    assert zoo.has(language)
    assert zoo.has(task)
    assert zoo.load(encoder, language, "mine") == Trained(language, (), 1.5, 0.25)
    assert zoo.load(encoder, task, "yours") == Trained(task, LABELS, 1.5, 0.25)
    expected = states(trained, "l1", "t1")
    assert torch.equal(states(encoder, "mine", "yours"), expected)
    loaded = zoo.load_head(encoder, task)
    assert loaded.labels == LABELS
    with torch.no_grad():
        assert torch.equal(loaded(expected), head(expected))


def test_manifest_says_what_an_adapter_was_made_from(zoo: Zoo, trained: Encoder) -> None:
    key = keep(zoo, trained, "t1", Head(trained.hidden_size, LABELS))
    manifest = json.loads((zoo.root / key / "manifest.json").read_text())
    assert manifest["made_from"] == made_from(trained)
    assert sorted(manifest["files"]) == FILES[:3]
    assert set(manifest["versions"]) == {"adapters", "transformers", "torch"}


def test_key_is_of_what_an_adapter_was_made_from(trained: Encoder) -> None:
    origin = made_from(trained)
    assert adapter_key(origin) == adapter_key(dict(reversed(origin.items())))
    others = [{**origin, key: "changed"} for key in origin] + [{**origin, "more": None}]
    assert len({adapter_key(one) for one in [origin, *others]}) == len(others) + 1


@pytest.mark.parametrize("damage", ["truncated", "altered", "missing"])
@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("found_by", ["asking", "loading"])
def test_damaged_adapter_is_set_aside_and_absent(
    zoo: Zoo, trained: Encoder, file: str, damage: str, found_by: str
) -> None:
    key = keep(zoo, trained, "t1", Head(trained.hidden_size, LABELS))
    path = zoo.root / key / file
    content = path.read_bytes()
    match damage:
        case "truncated":
            path.write_bytes(content[: len(content) // 2])
        case "altered":
            path.write_bytes(content.replace(key.encode(), b"0" * len(key)) if file == FILES[-1] else content + b" ")
        case "missing":
            path.unlink()
    with capture_logs() as logs:
        if found_by == "loading":
            with pytest.raises(AdapterFileError, match="manifest" if file == FILES[-1] else file):
                zoo.load(trained, key, "mine")
            assert "mine" not in trained.names
        assert not zoo.has(key)
    [line] = logs
    assert (line["log_level"], line["adapter"]) == ("warning", key)
    kept = Path(line["kept"])
    assert kept.parent == zoo.root / "set-aside"
    assert kept.is_dir()
    assert not (zoo.root / key).exists()


@pytest.mark.parametrize("manifest", ["[]", "3", '{"key": "k"}', '{"key": "k", "files": 3}', "null"])
def test_manifest_of_another_form_is_damage_too(zoo: Zoo, trained: Encoder, manifest: str) -> None:
    key = keep(zoo, trained, "l1")
    (zoo.root / key / "manifest.json").write_text(manifest)
    assert not zoo.has(key)


def test_adapter_trained_again_takes_the_place_of_a_damaged_one(zoo: Zoo, trained: Encoder, encoder: Encoder) -> None:
    key = keep(zoo, trained, "l1")
    (zoo.root / key / FILES[0]).write_bytes(b"")
    assert not zoo.has(key)
    assert keep(zoo, trained, "l1") == key
    zoo.load(encoder, key, "mine")
    assert torch.equal(states(encoder, "mine"), states(trained, "l1"))


def test_adapter_under_the_key_of_another_is_refused(zoo: Zoo, trained: Encoder) -> None:
    key = keep(zoo, trained, "l1")
    other = adapter_key(made_from(trained, seed=7))
    shutil.copytree(zoo.root / key, zoo.root / other)
    assert not zoo.has(other)
    assert zoo.has(key)


def test_adapter_for_another_encoder_is_refused(zoo: Zoo, trained: Encoder, wider_folder: Path) -> None:
    key = keep(zoo, trained, "l1")
    wider = Encoder(check_encoder(wider_folder))
    with pytest.raises(AdapterFileError, match=f"made for encoder {trained.files.digest[:8]}, not"):
        zoo.load(wider, key, "mine")
    assert wider.names == ()


def test_absent_adapter_is_absent(zoo: Zoo, encoder: Encoder) -> None:
    assert not zoo.has("0" * 32)
    with pytest.raises(AdapterFileError, match="no readable manifest"):
        zoo.load(encoder, "0" * 32, "mine")


def test_keys_are_of_the_adapters_that_are_there_whole(zoo: Zoo, trained: Encoder) -> None:
    assert zoo.keys() == set()
    kept, damaged = keep(zoo, trained, "l1"), keep(zoo, trained, "l2", seed=1)
    assert zoo.keys() == {kept, damaged}
    (zoo.root / damaged / FILES[0]).write_bytes(b"")
    assert not zoo.has(damaged)  # Which sets it aside.
    (zoo.root / "drafts" / "half").mkdir(parents=True)
    assert zoo.keys() == {kept}


def test_crash_in_the_middle_of_a_save_leaves_nothing_to_see(zoo: Zoo, trained: Encoder) -> None:
    origin = made_from(trained)
    key = adapter_key(origin)
    unwritable = Trained(key, (), 1.0, loss=object())  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="not JSON serializable"):
        zoo.save(trained, "l1", unwritable, origin)
    assert not zoo.has(key)
    assert [path for path in zoo.root.rglob("*") if path.is_file()] == []


def test_draft_of_a_killed_process_is_no_adapter(zoo: Zoo, trained: Encoder) -> None:
    key = keep(zoo, trained, "l1")
    draft = zoo.root / "drafts" / f"{key}-killed"
    (zoo.root / key).rename(draft)
    assert not zoo.has(key)
    assert keep(zoo, trained, "l1") == key
    assert zoo.has(key)


def test_first_of_two_writers_stays(zoo: Zoo, trained: Encoder, encoder: Encoder) -> None:
    key = keep(zoo, trained, "l1")
    assert keep(zoo, trained, "l2") == key
    zoo.load(encoder, key, "mine")
    assert torch.equal(states(encoder, "mine"), states(trained, "l1"))
    assert list((zoo.root / "drafts").iterdir()) == []
