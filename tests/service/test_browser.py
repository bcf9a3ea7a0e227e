"""The web page as a person meets it: in a real browser, over a real socket."""

from __future__ import annotations

import shutil
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest
import uvicorn

from matrices.store import Store
from service import Settings, create_app

if TYPE_CHECKING:
    from playwright.sync_api import Page

INTERFERENCE = "interference-pos-tiny@0a1b"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine: apt-get install chromium")


@pytest.fixture
def address(store: Store, tmp_path: Path) -> Iterator[str]:
    """The service over ``store``, listening on a port of its own."""
    app = create_app(Settings(store=store.uri, prepare=False, download_folder=tmp_path / "downloads"))
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(app, log_level="error"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            while not server.started and thread.is_alive():
                time.sleep(0.01)
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


@contextmanager
def browsing(address: str, complaints: list[str]) -> Iterator[Page]:
    """A page of a browser at an address; what goes wrong in it is added to ``complaints``."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page()
        page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(address)
        yield page
        browser.close()


@pytest.mark.filterwarnings("default")
def test_a_visitor_chooses_a_target_and_reads_the_best_sources(address: str) -> None:
    complaints: list[str] = []
    with browsing(address, complaints) as page:
        page.wait_for_selector("#answer:not([hidden]) #bars svg")
        page.select_option("#target", "wol")
        page.wait_for_function("document.querySelector('#answer-title').textContent.includes('Wolof')")
        table = page.locator("#table").text_content() or ""
        assert page.locator("#map svg").count() == 1
        with page.expect_download() as downloading:
            page.click("#download")
        assert downloading.value.suggested_filename.endswith(".parquet")
        page.fill("#other", "Igbo")
        page.press("#other", "Enter")
        page.wait_for_selector('#answer-title:has-text("Igbo"):has-text("(predicted)")', timeout=120_000)
        predicted = page.locator("#table").text_content() or ""
        outlined = page.locator("#bars .bar.predicted").count()
        page.fill("#other", "Xyzzian")
        page.press("#other", "Enter")
        page.wait_for_selector('#problem:has-text("unknown language")')

    assert "German" in table
    assert "predicted" in predicted
    assert "predicted" not in table
    assert outlined == 4
    # Chromium reports the 404 of the language nobody knows; nothing else went wrong.
    assert [one for one in complaints if "404" not in one] == []


@pytest.mark.filterwarnings("default")
def test_a_visitor_reads_what_helps_and_what_harms(address: str) -> None:
    complaints: list[str] = []
    with browsing(f"{address}/?matrix={quote(INTERFERENCE)}&target=yor", complaints) as page:
        page.wait_for_selector('#map-note:has-text("Beyond doubt")')
        note, advice = (page.locator(at).text_content() or "" for at in ("#map-note", "#advice"))
        marks = page.locator("#map .mark").count()

    assert "Beyond doubt 8 of 8 help (▲) and 0 harm (▼)." in note
    assert advice.startswith("Add German: it helps Yoruba by +0.")
    assert marks == 8
    assert complaints == []
