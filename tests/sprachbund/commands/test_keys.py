from __future__ import annotations

import json
from pathlib import Path

import pytest

from sprachbund.commands.keys import keys


def test_a_key_is_made_listed_and_revoked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "keys.json"
    keys("make", "ann", file, ["read"], as_json=True)
    made = json.loads(capsys.readouterr().out)
    keys("list", None, file, None, as_json=True)
    listed = json.loads(capsys.readouterr().out)["keys"]
    keys("revoke", "ann", file, None, as_json=True)
    capsys.readouterr()
    keys("list", None, file, None, as_json=True)

    assert made["key"].startswith("spb_")
    assert [(one["name"], one["scopes"]) for one in listed] == [("ann", ["read"])]
    assert json.loads(capsys.readouterr().out)["keys"] == []
