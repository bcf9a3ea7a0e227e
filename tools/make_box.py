"""Makes the box: the matrices of a store, and of the present box those that are named, as the package ships them.

    python tools/make_box.py runs/e5/store --command 'sprachbund fill jobs/e5_pos.yaml' --keep MATRIX MATRIX

``--matrices`` names those of the store that go in, all by default; ``--keep`` those of the present box that stay in it;
``--corpora`` is the folder that the store was measured on.
Run `tools/keep_models.py` afterwards: the models of the box ship beside it.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from matrices.bundled import boxed, write_box
from matrices.reading import CorpusCredit, Provenance, Reader
from matrices.snapshot_of_store import read_snapshot
from matrices.store import Store
from workers.corpora import open_corpora

FOLDER = Path(__file__).parents[1] / "matrices" / "data"
LIBRARIES = ("torch", "adapters", "transformers", "ray", "deltalake")


def main() -> None:
    """Write the box and say what is in it."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("store")
    arguments.add_argument("--command", required=True, help="what the store was made with")
    arguments.add_argument("--matrices", nargs="+", help="of the store; all by default")
    arguments.add_argument("--keep", nargs="*", default=[], help="matrices of the present box that stay")
    arguments.add_argument("--corpora", type=Path, default=Path("../shared/data"))
    given = arguments.parse_args()
    store, before = read_snapshot(Store(given.store), only=given.matrices), boxed()
    kept = [before.only(given.keep)] if before is not None and given.keep else []
    earlier = before.provenance if before is not None and given.keep else None
    provenance = _provenance(store, kept, earlier, given.corpora, given.command)
    print(write_box([store, *kept], provenance, FOLDER))
    readers: list[Reader] = [store, *kept]
    for reader in readers:
        for info in reader.matrices():
            print(f"{info.matrix}: {info.sources} sources, {info.targets} targets, {info.cells} cells")


def _provenance(
    store: Reader, kept: Sequence[Reader], earlier: Provenance | None, corpora: Path, command: str
) -> Provenance:
    credits = set(_credits(store, corpora)) | set(earlier.corpora if earlier is not None else ())
    commands = [command, *([earlier.command] if earlier is not None and earlier.command != command else [])]
    readers: list[Reader] = [store, *kept]
    return Provenance(
        encoder="; ".join(dict.fromkeys(info.encoder for reader in readers for info in reader.matrices())),
        corpora=tuple(sorted(credits, key=lambda credit: (credit.corpus, credit.licence))),
        seeds=tuple(sorted({seed for reader in readers for seed in _values(reader, "seed")})),
        versions={"sprachbund": version("sprachbund"), **{name: version(name) for name in LIBRARIES}},
        date=datetime.now(UTC).date().isoformat(),
        command="; ".join(commands),
    )


def _credits(store: Reader, root: Path) -> Iterator[CorpusCredit]:
    """The labelled corpora that a store's cells were learned and scored on."""
    corpora = open_corpora(root)
    used = {
        (info.task, row[side])
        for info in store.matrices()
        for row in store.cells(info.matrix, columns=["source", "target"]).to_pylist()
        for side in ("source", "target")
    }
    for entry in corpora.entries():
        of_use = (entry.task, entry.language) in used
        if of_use and entry.corpus == corpora.chosen(entry.task, entry.language):
            yield CorpusCredit(entry.corpus, entry.licence or "not stated")


def _values(reader: Reader, column: str) -> Iterator[int]:
    for info in reader.matrices():
        yield from reader.cells(info.matrix, columns=[column])[column].unique().to_pylist()


if __name__ == "__main__":
    main()
