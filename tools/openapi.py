"""Writes the interface of the service as it is now to docs/openapi.json, which a test holds it to.

python tools/openapi.py
"""

from __future__ import annotations

import json
from pathlib import Path

from service import Settings, create_app

OUT = Path(__file__).parents[1] / "docs" / "openapi.json"


def main() -> None:
    """Write the file."""
    OUT.write_text(json.dumps(create_app(Settings()).openapi(), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
