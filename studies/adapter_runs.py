"""How far another training run of a language adapter moves what it changes: the component that one run cannot show.

    python studies/adapter_runs.py jobs/mechanisms.yaml runs/adapter-runs --sources eng fas tur fin swa wol zul uig

Fills the job's ``stack`` cells of some sources and targets once for each seed of the language adapters, over the same
task adapters, items and seeds; what is there already is not done again. Prints the variance over runs
(``matrices.uncertainty.adapter_runs``) beside that of the changes over pairs, and how many of the verdicts that one run
is sure of recur in the others.

The figures in docs/ were first stated in commit f8b3411 (2026-11-30).
"""

from __future__ import annotations

import argparse
import json
from itertools import permutations
from pathlib import Path

import numpy as np

from matrices.measures.catalogue import MeasureSettings
from matrices.measures.registry import measure
from matrices.store import Store
from matrices.uncertainty.adapter_runs import adapter_variance
from matrices.view import MatrixView, view
from workers.driver import fill
from workers.job import Job, load_job

SURE = ("helps", "harms")


def job_of(path: Path, out: Path, sources: list[str], seeds: int, run: int) -> Job:
    """The part of a job whose language adapters were trained with the seed ``run``."""
    job = load_job(path)
    assert job.language_adapter is not None
    return job.model_copy(
        update={
            "store": str(out / f"store-{run}"),
            "zoo": str(out / "zoo"),
            "compositions": ("stack",),
            "sources": tuple(sources),
            "targets": tuple(sources),
            "seeds": tuple(range(seeds)),
            "language_adapter": job.language_adapter.model_copy(update={"seed": run}),
        }
    )


def verdicts(store: Store, matrix: str) -> dict[tuple[str, str], str]:
    """The label of each pair of two languages."""
    rows = measure(store, matrix, "interference", MeasureSettings()).to_pylist()
    return {(row["source"], row["target"]): row["label"] for row in rows if row["source"] != row["target"]}


def main() -> None:
    """Fill, and print what the runs say of each other."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("job", type=Path)
    arguments.add_argument("out", type=Path)
    arguments.add_argument("--sources", nargs="+", required=True)
    arguments.add_argument("--seeds", type=int, default=3, help="of task adapters")
    arguments.add_argument("--runs", type=int, default=3, help="of language adapters")
    given = arguments.parse_args()
    views: list[MatrixView] = []
    sure: list[dict[tuple[str, str], str]] = []
    for run in range(given.runs):
        job = job_of(given.job, given.out, given.sources, given.seeds, run)
        fill(job, folder=given.job.parent)
        store = Store(job.store)
        (info,) = store.matrices()
        views.append(view(store.cells(info.matrix), items=store.items(info.matrix)))
        sure.append(verdicts(store, info.matrix))
    component = adapter_variance(views)
    apart = np.array([one.changes for one in views])
    rows, columns = views[0].own
    apart[:, rows, columns] = np.nan
    said = [(one, pair, label) for one, labels in enumerate(sure) for pair, label in labels.items() if label in SURE]
    recur = [
        sure[other][pair] == label
        for one, other in permutations(range(given.runs), 2)
        for first, pair, label in said
        if first == one
    ]
    found = {
        "pairs": int(np.isfinite(apart[0]).sum()),
        "runs": given.runs,
        "sd_over_runs": component.variance**0.5,
        "degrees_of_freedom": component.freedom,
        "sd_over_pairs": float(np.nanstd(apart.mean(axis=0))),
        "sure_verdicts": len(said),
        "recur_in_another_run": float(np.mean(recur)) if recur else None,
    }
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
