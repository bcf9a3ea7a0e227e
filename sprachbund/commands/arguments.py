"""Arguments that several commands have: which matrix, how pictures are set; and how places are shown.

A matrix is its store, then its name; of the box the name alone.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from matrices.bundled import store_or_box
from matrices.reading import Reader

StoreOption = Annotated[
    str | None, typer.Option(help="Folder, s3:// or gs:// of the store; left out: the matrices in the box.")
]
COLOURS = {"helps": "green", "harms": "red", "neutral": "dim", "undecided": "yellow"}
"""Of verdicts; the word stands there too."""
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object, for machines.")]
CreditsOption = Annotated[bool, typer.Option("--credits", help="Name the corpora behind the matrices in the box.")]

Where = Annotated[
    list[str],
    typer.Argument(
        metavar="[STORE] MATRIX",
        help="A folder, s3:// or gs:// of a store, and a matrix as `sprachbund matrices` lists them; without a store, "
        "one of the box.",
    ),
]
Composition = Annotated[
    str | None, typer.Option(help="How adapters were put together; left out: stack, else the first by name.")
]
Selection = Annotated[
    str | None, typer.Option(help="Which weights were evaluated; left out: last, else the first by name.")
]


Title = Annotated[str | None, typer.Option(help="In place of a picture's own title; '' for none.")]
Width = Annotated[float | None, typer.Option(min=2, max=200, help="Centimetres that a picture is wide in print.")]
Drawing = Annotated[Literal["svg", "pdf", "png"], typer.Option("--drawing", help="What pictures are written as.")]


def reader_of(where: list[str], store: str | None) -> tuple[Reader, str]:
    """The store, or the box, and the name of the matrix. ``store`` may be named by the option of that name instead.

    Raises ``StoreMissingError``, ``StoreTooNewError``, ``NoBoxError`` and ``typer.BadParameter``.
    """
    *before, matrix = where
    stores = [*before, *([store] if store is not None else [])]
    if len(stores) > 1:
        raise typer.BadParameter(
            f"{' '.join(where)}: name one store and one matrix, as in `./store MATRIX`", param_hint="[STORE] MATRIX"
        )
    return store_or_box(stores[0] if stores else None), matrix


def shown(place: str | Path) -> str:
    """A folder, or a bucket's URI, as a person would type it from here: relative where it lies below, else whole."""
    if "://" in str(place):
        return str(place)
    path, here = Path(place).resolve(), Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)
