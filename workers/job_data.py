"""The labelled data that a job learns from, selects by and measures on: its facts, and notes on what is missing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matrices.selections import ORACLE
from workers.corpora.checks import Facts, check, facts_of
from workers.corpora.splits import without_copies
from workers.corpora.types import Corpora, Split
from workers.job import Job
from workers.learners import PlanError

_SHOWN = 5
"""Languages that a note names of many."""


class JobData:
    """Of a dataset only its facts are kept. What people should know of it goes to ``notes``."""

    def __init__(self, job: Job, corpora: Corpora, notes: list[str]) -> None:
        self._job, self._corpora, self._notes = job, corpora, notes
        self._shot_pools: dict[str, dict[str, Facts | None]] = {}
        self._devs: dict[tuple[str, str], Facts | None] = {}

    def facts(self, task: str, languages: Sequence[str], split: Split, limit: int | None) -> dict[str, Facts]:
        """The splits of the languages that have one, by language; ``limit`` is as many items as count."""
        by_language = {
            code: self._facts_of(task, code, split, limit) for code in languages if self._corpora.has(task, code, split)
        }
        absent = [code for code in languages if code not in by_language]
        if absent and by_language:
            self._notes.append(f"{task}: no {split} data for {', '.join(absent)}; left out")
        copied = [f"{code} {facts.copies}" for code, facts in by_language.items() if facts.copies]
        if copied:
            what = f"{task}: train items whose text is in the dev or test split too, left out of training"
            self._notes.append(f"{what}: {', '.join(copied)}")
        for labels, codes in _by_unread(by_language).items():
            shown = codes[:_SHOWN] + ([f"{len(codes) - _SHOWN} more"] if len(codes) > _SHOWN else [])
            self._notes.append(
                f"{task}: none of the first {limit} {split} items is labelled {', '.join(labels)}, as where a file is "
                f"sorted by label ({', '.join(shown)}); `max_items` reads more"
            )
        return by_language

    def _facts_of(self, task: str, language: str, split: Split, limit: int | None) -> Facts:
        dataset = self._corpora.dataset(task, language, split)
        if split != "train" or not self._job.leave_out_copies:
            return facts_of(dataset, limit)
        whole = without_copies(self._corpora, dataset)
        return facts_of(whole, limit, copies=len(dataset.items) - len(whole.items))

    def shot_pools(self, task: str, targets: Sequence[str]) -> dict[str, Facts]:
        """The train splits that shots are drawn from; a target that has none, or too few items, is noted."""
        pools, most = self._shot_pools.setdefault(task, {}), max(self._job.shots)
        for code in targets:
            if code not in pools:
                pools[code] = facts = self.facts(task, [code], "train", None).get(code)
                if facts is None or facts.items < most:
                    items = 0 if facts is None else facts.items
                    self._notes.append(f"{task}: {code} has {items} train items, fewer than {most} shots; it gets none")
        return {code: facts for code in targets if (facts := pools[code]) is not None and facts.items >= most}

    def dev(self, task: str, language: str) -> Facts | None:
        """The dev split that selects among runs; None, and a note, where a target has none for the oracle.

        Raises ``PlanError`` of a source without one.
        """
        if (task, language) not in self._devs:
            facts = self.facts(task, [language], "dev", self._job.selecting.max_items).get(language)
            if facts is not None:
                check([facts], self._job.min_items)
            elif language in self._job.sources:
                raise PlanError(
                    f"{task}: {language} has no dev split, by which `selections` choose; leave the source out, or "
                    "select `last` alone"
                )
            else:
                self._notes.append(f"{task}: {language} has no dev split, so no {ORACLE}")
            self._devs[task, language] = facts
        return self._devs[task, language]

    def nothing(self, task: str, split: str) -> str:
        """Why no language has such a split, and what there is."""
        labelled = [entry for entry in self._corpora.entries() if entry.kind != "text"]
        splits = sorted({entry.split for entry in labelled if entry.task == task and entry.split})
        if not splits:
            tasks = sorted({entry.task for entry in labelled})
            return f"`tasks`: {task!r} is not in {self._job.corpora}; there are: {', '.join(tasks)}"
        if split not in splits:
            return f"no language has {split} data for {task}; splits there are: {', '.join(splits)}"
        languages = sorted({entry.language for entry in labelled if entry.task == task and entry.split == split})
        which = "sources" if split == "train" else "targets"
        return f"`{which}`: none has {split} data for {task}; languages that do: {', '.join(languages)}"


def _by_unread(by_language: Mapping[str, Facts]) -> dict[tuple[str, ...], list[str]]:
    """Languages by the common labels that no item within the limit has."""
    by_labels: dict[tuple[str, ...], list[str]] = {}
    for code, facts in by_language.items():
        if facts.unread:
            by_labels.setdefault(facts.unread, []).append(code)
    return by_labels
