"""Adapters in a folder or a bucket: whole and unaltered, or as good as absent."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from structlog.testing import capture_logs
from torch import Tensor

from adapters_zoo.backbone import Encoder
from adapters_zoo.heads import Head
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
def root(tmp_path: Path) -> Path:
    return tmp_path / "zoo"


@pytest.fixture
def zoo(root: Path) -> Zoo:
    return Zoo(root)


@pytest.fixture(params=["folder", "bucket"])
def either(request: pytest.FixtureRequest, root: Path) -> Zoo:
    """A zoo in a folder, and then one in a bucket."""
    if request.param == "folder":
        return Zoo(root)
    return Zoo(f"{request.getfixturevalue('bucket')}/zoo", cache=root)


@pytest.fixture
def trained(with_adapters: Callable[..., Encoder]) -> Encoder:
    return with_adapters()


def test_what_was_saved_is_what_is_loaded(either: Zoo, trained: Encoder, encoder: Encoder) -> None:
    head = Head(trained.hidden_size, LABELS)
    language, task = keep(either, trained, "l1"), keep(either, trained, "t1", head, seed=1)
    assert either.has(language)
    assert either.has(task)
    assert either.load(encoder, language, "mine") == Trained(language, (), 1.5, 0.25)
    assert either.load(encoder, task, "yours") == Trained(task, LABELS, 1.5, 0.25)
    expected = states(trained, "l1", "t1")
    assert torch.equal(states(encoder, "mine", "yours"), expected)
    loaded = either.load_head(encoder, task)
    assert loaded.labels == LABELS
    with torch.no_grad():
        assert torch.equal(loaded(expected), head(expected))


def test_manifest_says_what_an_adapter_was_made_from(zoo: Zoo, root: Path, trained: Encoder) -> None:
    key = keep(zoo, trained, "t1", Head(trained.hidden_size, LABELS))
    manifest = json.loads((root / key / "manifest.json").read_text())
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
    zoo: Zoo, root: Path, trained: Encoder, file: str, damage: str, found_by: str
) -> None:
    key = keep(zoo, trained, "t1", Head(trained.hidden_size, LABELS))
    path = root / key / file
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
    assert kept.parent == root / "set-aside"
    assert kept.is_dir()
    assert not (root / key).exists()


@pytest.mark.parametrize("manifest", ["[]", "3", '{"key": "k"}', '{"key": "k", "files": 3}', "null"])
def test_manifest_of_another_form_is_damage_too(zoo: Zoo, root: Path, trained: Encoder, manifest: str) -> None:
    key = keep(zoo, trained, "l1")
    (root / key / "manifest.json").write_text(manifest)
    assert not zoo.has(key)


def test_adapter_trained_again_takes_the_place_of_a_damaged_one(
    zoo: Zoo, root: Path, trained: Encoder, encoder: Encoder
) -> None:
    key = keep(zoo, trained, "l1")
    (root / key / FILES[0]).write_bytes(b"")
    assert not zoo.has(key)
    assert keep(zoo, trained, "l1") == key
    zoo.load(encoder, key, "mine")
    assert torch.equal(states(encoder, "mine"), states(trained, "l1"))


def test_adapter_under_the_key_of_another_is_refused(zoo: Zoo, root: Path, trained: Encoder) -> None:
    key = keep(zoo, trained, "l1")
    other = adapter_key(made_from(trained, seed=7))
    shutil.copytree(root / key, root / other)
    assert not zoo.has(other)
    assert zoo.has(key)


def test_adapter_for_another_encoder_is_refused(either: Zoo, trained: Encoder, wider_folder: Path) -> None:
    key = keep(either, trained, "l1")
    wider = Encoder(check_encoder(wider_folder))
    with pytest.raises(AdapterFileError, match=f"made for encoder {trained.files.digest[:8]}, not"):
        either.load(wider, key, "mine")
    assert wider.names == ()


def test_absent_adapter_is_absent(either: Zoo, encoder: Encoder) -> None:
    assert not either.has("0" * 32)
    with pytest.raises(AdapterFileError, match=f"no adapter {'0' * 32} in .*zoo; run the job again"):
        either.load(encoder, "0" * 32, "mine")


def test_keys_are_of_the_adapters_that_are_there_whole(zoo: Zoo, root: Path, trained: Encoder) -> None:
    assert zoo.keys() == set()
    kept, damaged = keep(zoo, trained, "l1"), keep(zoo, trained, "l2", seed=1)
    assert zoo.keys() == {kept, damaged}
    (root / damaged / FILES[0]).write_bytes(b"")
    assert not zoo.has(damaged)  # Which sets it aside.
    (root / "drafts" / "half").mkdir(parents=True)
    assert zoo.keys() == {kept}


def test_crash_in_the_middle_of_a_save_leaves_nothing_to_see(zoo: Zoo, root: Path, trained: Encoder) -> None:
    origin = made_from(trained)
    key = adapter_key(origin)
    unwritable = Trained(key, (), 1.0, loss=object())  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="not JSON serializable"):
        zoo.save(trained, "l1", unwritable, origin)
    assert not zoo.has(key)
    assert [path for path in root.rglob("*") if path.is_file()] == []


def test_draft_of_a_killed_process_is_no_adapter(zoo: Zoo, root: Path, trained: Encoder) -> None:
    key = keep(zoo, trained, "l1")
    draft = root / "drafts" / f"{key}-killed"
    (root / key).rename(draft)
    assert not zoo.has(key)
    assert keep(zoo, trained, "l1") == key
    assert zoo.has(key)


def test_first_of_two_writers_stays(zoo: Zoo, root: Path, trained: Encoder, encoder: Encoder) -> None:
    key = keep(zoo, trained, "l1")
    assert keep(zoo, trained, "l2") == key
    zoo.load(encoder, key, "mine")
    assert torch.equal(states(encoder, "mine"), states(trained, "l1"))
    assert list((root / "drafts").iterdir()) == []
