"""What every benchmark of an encoder is told: which encoder, which corpora, and whether a machine reads the figures."""

from __future__ import annotations

import argparse
import os
from pathlib import Path


def encoder_options(description: str | None) -> argparse.ArgumentParser:
    """A parser of ``--encoder``, ``--random``, ``--corpora`` and ``--json``; folders begin at ``SPRACHBUND_SHARED``."""
    shared = Path(os.environ.get("SPRACHBUND_SHARED", "../shared"))
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--encoder", type=Path, default=shared / "encoder")
    parser.add_argument("--random", metavar="LAYERSxHIDDEN", help="an untrained encoder of this shape instead")
    parser.add_argument("--corpora", type=Path, default=shared / "data")
    parser.add_argument("--json", action="store_true")
    return parser


def parsed(parser: argparse.ArgumentParser) -> argparse.Namespace:
    """What was said. Ends the program where a folder is not there."""
    options = parser.parse_args()
    for name in ("encoder", "corpora"):
        if not getattr(options, name).is_dir():
            parser.error(f"--{name}: no folder {getattr(options, name)}; set SPRACHBUND_SHARED or name another")
    return options
