"""Which member to leave out of a mean of runs that scores badly on source dev: the worst, or the farthest in weights?

    python studies/mean_guard.py jobs/robust_ner.yaml --targets amh ibo kin lug pcm

Reads the runs of the first seed from the job's zoo, by all recipes, and writes nothing. For each source it prints every
mean on the way from all runs down to one, with its score on source dev and its mean score over the targets. Run on 1
December 2026 at c7118dc.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path

from adapters_zoo.combination import combined, combined_heads, distance, standing
from workers.corpora.types import Dataset
from workers.driver import run_context
from workers.encoding import EncodedItems, encode_items
from workers.evaluation import Contestant, evaluate
from workers.job import load_job
from workers.loaded import Loaded
from workers.plan import make_plan
from workers.tasks.scoring import score
from workers.work_units import Selected

Texts = tuple[Dataset, EncodedItems]


class Means:
    """Means of the ends of a selection's runs."""

    def __init__(self, loaded: Loaded, selected: Selected) -> None:
        keys = [run[-1] for run in selected.runs]
        loaded.need(keys)
        self._encoder, self._recipe = loaded.encoder, selected.recipe
        self._states = [loaded.encoder.parameters_of(key) for key in keys]
        self._head = combined_heads([(loaded.head(keys[0]), 1.0)])
        recipes = [loaded.made_from(key)["recipe"] for key in keys]
        self.names = [f"{one['learning_rate']:g} x {one['batch']}" for one in recipes]

    def score(self, members: Sequence[int], text: Texts) -> float:
        """Of the mean of these runs."""
        mean = combined([(self._states[one], 1 / len(members)) for one in members])
        with standing(self._encoder, "mean", self._recipe, mean):
            [outcomes] = evaluate(self._encoder, *text, None, [Contestant("mean", self._head)])
        return score(outcomes) or 0.0

    def farthest(self, members: Sequence[int]) -> int:
        """The run farthest from the mean of these."""
        mean = combined([(self._states[one], 1 / len(members)) for one in members])
        return max(members, key=lambda one: distance(self._states[one], mean))


def ways(means: Means, dev: Texts) -> Iterator[tuple[str, list[int]]]:
    """Each rule, and the members that are left after each step of it."""
    own = {one: means.score([one], dev) for one in range(len(means.names))}
    for one, found in own.items():
        yield f"alone, dev {found:.3f}", [one]
    for rule in ("worst", "farthest"):
        members = [*own]
        while len(members) > 1:
            yield f"less the {rule}", members
            out = means.farthest(members) if rule == "farthest" else min(members, key=own.__getitem__)
            members = [one for one in members if one != out]


def main() -> None:
    """Print every mean of every source."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("job", type=Path)
    parser.add_argument("--targets", nargs="+")
    given = parser.parse_args()
    job = load_job(given.job)
    targets = tuple(given.targets or job.targets)
    selections = (f"run_averaged({len(job.task_recipes)})",)
    part = {"seeds": job.seeds[:1], "targets": targets, "selections": selections}
    plan = make_plan(job.model_copy(update=part), folder=given.job.parent)
    loaded = Loaded(run_context(plan, threads=1))

    def text(dataset: Dataset) -> Texts:
        return dataset, encode_items(loaded.encoder, dataset)

    tests = {one.target: text(loaded.data(one.data).first(one.data.limit)) for one in plan.columns}
    for selected in plan.selected.values():
        means, dev = Means(loaded, selected), text(loaded.data(selected.data[0]).first(selected.data[0].limit))
        print(f"\nfrom {selected.data[0].language}")
        for rule, members in ways(means, dev):
            on_targets = sum(means.score(members, test) for test in tests.values()) / len(tests)
            who = ", ".join(means.names[one] for one in members)
            print(f"{rule:20} dev {means.score(members, dev):.3f}  targets {on_targets:.3f}  {who}", flush=True)


if __name__ == "__main__":
    main()
