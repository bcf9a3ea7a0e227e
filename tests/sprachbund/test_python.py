"""The library from Python: the box, a store, a file and a service answer alike."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas
import polars
import pytest
import uvicorn

import sprachbund
from matrices.cells import Cell
from matrices.export import export
from matrices.store import Store
from service import Settings, create_app
from service.keys import make_key
from sprachbund.opened import Opened
from sprachbund.remote import ServiceError

POS = "zero_shot-pos-tiny"
MakeCell = Callable[..., Cell]


@pytest.fixture(scope="module")
def store(make_cell: MakeCell, tmp_path_factory: pytest.TempPathFactory) -> Store:
    store = Store.open(tmp_path_factory.mktemp("stores") / "store", create=True)
    sources = (("deu", 45), ("eng", 30), ("nan", 20), (None, 12))
    store.append(
        [
            make_cell(
                source=source,
                target=target,
                seed=seed,
                composition="stack" if source else "baseline",
                correct=tuple(int(item < right + seed) for item in range(60)),
                total=(1,) * 60,
            )
            for source, right in sources
            for target in ("yor", "wol")
            for seed in (0, 1)
        ]
    )
    return store


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the service keeps its files, keys among them."""
    return tmp_path_factory.mktemp("folder")


@pytest.fixture(scope="module")
def address(store: Store, folder: Path) -> Iterator[str]:
    """A service over the store, behind a key."""
    settings = Settings(
        store=store.uri, prepare=False, download_folder=folder, keys=folder / "keys.json", anonymous="", page_size=3
    )
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(create_app(settings), log_level="error"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        while not server.started and thread.is_alive():
            time.sleep(0.01)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        server.should_exit = True
        thread.join()


@pytest.fixture(scope="module")
def key(folder: Path) -> str:
    return make_key(folder / "keys.json", "tests", ["read"])


@pytest.fixture(params=["store", "file", "service"])
def opened(request: pytest.FixtureRequest, store: Store, address: str, key: str, tmp_path: Path) -> Opened:
    if request.param == "service":
        return sprachbund.open(address, key=key)
    if request.param == "file":
        return sprachbund.open(export(store, POS, tmp_path / "matrix.parquet"))
    return sprachbund.open(store.uri)


def test_wherever_matrices_lie_they_answer_alike(opened: Opened, store: Store) -> None:
    answer = opened.recommend("pos", "Yoruba", k=2)
    local = sprachbund.open(store.uri)

    assert answer.best == "deu"
    assert answer.to_frame()["source"].tolist() == ["deu", "eng"]
    assert answer.answer.sources == local.recommend("pos", "yor", k=2).answer.sources
    assert opened.recommend("pos", "yor", k=2, shots=True).answer == answer.answer, "in no matrix were any measured"
    assert opened.matrices().to_frame()["matrix"].tolist() == [POS]
    cells = opened.cells(POS, target="Wolof", outcomes=True)
    assert cells.to_arrow().equals(store.cells(POS, target="wol"))
    assert opened.pairs(POS).to_polars().equals(local.pairs(POS).to_polars())
    measured = opened.measure(POS, "interference").to_frame()
    assert set(measured["source"]) == {"deu", "eng", "nan"}
    assert "mark" in opened.plot(POS, order="family").to_json()


def test_answers_are_frames_and_show_themselves(store: Store) -> None:
    opened = sprachbund.open(store.uri)
    answer, cells = opened.recommend("pos", "yor"), opened.cells(POS)

    assert isinstance(answer.to_frame(), pandas.DataFrame)
    assert isinstance(cells.to_polars(), polars.DataFrame)
    assert "<td>German</td>" in answer._repr_html_()
    assert "<table>" in cells._repr_html_()
    assert repr(answer).startswith("<pos in Yoruba: German, 0.7")
    assert len(cells) == 16


def test_the_box_is_opened_by_its_name() -> None:
    box = sprachbund.open("box")

    assert len(box.matrices()) > 0
    assert box.recommend("pos", "Yoruba").to_frame().shape[0] == 5


def test_what_a_service_refuses_is_one_line(address: str, key: str) -> None:
    with pytest.raises(ServiceError, match="needs a key"):
        sprachbund.open(address).matrices()
    with pytest.raises(ServiceError, match="unknown language 'nowhere'"):
        sprachbund.open(address, key=key).recommend("pos", "nowhere")
    with pytest.raises(ServiceError, match="cannot be reached"):
        sprachbund.open("http://127.0.0.1:9")


def test_the_version_is_known_and_importing_is_quick() -> None:
    code = "import sys, sprachbund; print(sprachbund.__version__, 'pyarrow' in sys.modules, 'torch' in sys.modules)"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    command = [sys.executable, "-c", "from sprachbund.cli import main; main()", "--version"]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout

    assert said == [sprachbund.__version__, "False", "False"]
    assert told.strip() == f"sprachbund {sprachbund.__version__}"
