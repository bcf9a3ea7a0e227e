"""The notebook in the docs runs, and shows what it says it does; `python tools/notebook.py` writes it anew."""

from __future__ import annotations

import copy
import importlib.util
import json
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_the_notebook_runs_and_shows_what_is_written_in_it() -> None:
    spec = importlib.util.spec_from_file_location("notebook", ROOT / "tools" / "notebook.py")
    assert spec is not None
    assert spec.loader is not None
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    written = json.loads((ROOT / "docs" / "analyst.ipynb").read_text(encoding="utf-8"))

    found = tool.run(copy.deepcopy(written))

    assert [cell.get("outputs") for cell in found["cells"]] == [cell.get("outputs") for cell in written["cells"]]
    assert sum(bool(cell.get("outputs")) for cell in written["cells"]) >= 8
