"""What a job's matrices are called: by all that decides a score, so that what is not comparable never meets in one."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable

from adapters_zoo.precision import Precision
from adapters_zoo.recipes import TaskRecipe
from adapters_zoo.sources import EncoderFiles
from workers.job import Job
from workers.job_settings import FUSION


def matrix_name(
    job: Job, encoder: EncoderFiles, precision: Precision, task: str, pivots: Iterable[str], recipe: TaskRecipe
) -> str:
    """Task, kind, method but for bottlenecks, and encoder, and eight digits of every other setting of a score.

    So cells measured under different settings never meet in one matrix. Budgets of steps are no part of it, as they are
    compositions of their own; nor is the order of pivots.
    """
    settings = {
        "encoder": encoder.digest,
        "precision": precision,
        "language_adapter": job.language_adapter.identity() if job.language_adapter else None,
        "task_adapter": recipe.identity(),
        "evaluation": job.evaluation.model_dump(),
        "pivots": sorted(pivots) if job.kind == "interference" else None,
        **({} if job.leave_out_copies else {"copies": "kept"}),
        **({} if job.language_seeds == "one" else {"language_seeds": job.language_seeds}),
        **({"shift": job.shift.of_the_run()} if "shift" in job.compositions else {}),
        **({"merging": job.merging.model_dump(mode="json")} if "merge" in job.compositions else {}),
        **({"fusion": job.fusion.model_dump()} if "fuse" in job.compositions and job.fusion != FUSION else {}),
        **({} if job.head == "own" else {"head": job.head, "first": job.task_recipe.identity()}),
        **({} if not recipe.snapshots else {"snapshots": recipe.snapshots, "selecting": job.selecting.identity()}),
        **({"few_shot": how} if (how := job.few_shot.model_dump(exclude_defaults=True)) else {}),
        **(
            {}
            if len(job.task_recipes) == 1 or recipe != job.task_recipe
            else {"recipes": [each.identity() for each in job.task_recipes]}
        ),
    }
    digest = hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()
    method = "" if job.method == "bottleneck" else f"{job.method}-"
    return f"{task}-{job.kind}-{method}{_in_names(encoder.name)}-{digest[:8]}"


def _in_names(encoder: str) -> str:
    """An encoder's name as names of matrices have it: of a hub id the part behind the slash, and no odd characters.

    A matrix's name stands in addresses and file names.
    """
    return re.sub(r"[^\w.-]+", "-", encoder.rpartition("/")[2], flags=re.ASCII).strip("-.") or "encoder"
