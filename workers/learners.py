"""What a plan has trained: adapters and shifts, each under the key of everything that determines its weights."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from adapters_zoo.precision import Precision
from adapters_zoo.recipes import FewShotRecipe, TaskRecipe
from adapters_zoo.sources import EncoderFiles
from adapters_zoo.zoo import adapter_key
from matrices.likeness.similarity import kernel
from matrices.selections import parse
from workers.corpora.checks import Facts
from workers.corpora.types import Corpora, RawText
from workers.job import Job
from workers.work_units import (
    DataReference,
    DevScores,
    FewShot,
    LanguageAdapter,
    Lesson,
    MergedAdapter,
    RunState,
    Selected,
    Shift,
    TaskAdapter,
    TrainingSnapshot,
    kept_as,
)


class PlanError(ValueError):
    """A job that cannot be done with these corpora. Says what is missing and what is there."""


class Learners:
    """The learners that a job's cells need, by key. Of texts and data sets only the facts are kept.

    ``notes`` are sentences for people: what stands in for what is missing.
    """

    def __init__(self, job: Job, corpora: Corpora, encoder: EncoderFiles, precision: Precision) -> None:
        self.languages: dict[str, LanguageAdapter] = {}
        self.shifts: dict[str, Shift] = {}
        self.tasks: dict[str, TaskAdapter] = {}
        self.few_shots: dict[str, FewShot] = {}
        self.merged: dict[str, MergedAdapter] = {}
        self.scores: dict[str, DevScores] = {}
        self.selected: dict[str, Selected] = {}
        self.notes: list[str] = []
        self._job, self._corpora, self._encoder, self._precision = job, corpora, encoder, precision
        self._adapter_of: dict[tuple[str, int], LanguageAdapter] = {}
        self._shift_to: dict[tuple[str, int], Shift] = {}
        self._seed_of_snapshot: dict[str, int] = {}

    def language(self, code: str, seed: int) -> LanguageAdapter:
        """The language adapter of ``code`` that the cells of a ``seed`` stand on.

        Raises ``PlanError`` where there is nothing to learn from or by, and ``ValueError`` where the job has none.
        """
        recipe = self._job.language_adapter
        if recipe is None:
            raise ValueError("the job has no language adapters")
        if (code, own := self._own_seed(recipe.seed, seed)) not in self._adapter_of:
            digest, recipe = self._text(code, "language adapter"), recipe.model_copy(update={"seed": own})
            made_from = self._made_from("language", recipe.identity(), language=code, text=digest)
            states = _states(made_from, recipe.snapshots)
            adapter = LanguageAdapter(adapter_key(made_from), code, recipe, made_from, states)
            self._adapter_of[code, own] = self.languages[adapter.key] = adapter
        return self._adapter_of[code, own]

    def merge(self, code: str, seed: int) -> MergedAdapter:
        """The weighted mean of the language adapters of other languages, for ``code``.

        Raises ``PlanError`` where there is none, or one of them has nothing to learn from.
        """
        weights = self._alike(code)
        total, members = sum(weights.values()), [(self.language(one, seed), weight) for one, weight in weights.items()]
        parts = tuple((adapter.key, weight / total) for adapter, weight in members)
        recipe = members[0][0].recipe
        made_from = self._made_from("merged", recipe.identity(), parts=[[*part] for part in parts])
        merged = MergedAdapter(adapter_key(made_from), code, parts, recipe, made_from)
        return self.merged.setdefault(merged.key, merged)

    def _alike(self, code: str) -> dict[str, float]:
        """The languages whose adapters a target's merged one is made of, with their weights, the largest first.

        As the job says; else those most like the target by genealogy, place and typology (``matrices.likeness``), each
        weighted by how alike it is; equal weights where nothing is known of the target.
        """
        merging = self._job.merging
        if code in merging.weights:
            return merging.weights[code]
        among = [language for language in merging.among or self._job.sources if language != code]
        if not among:
            raise PlanError(f"{code}: no other language to merge adapters of; name some in `merging.among`")
        alike = dict(zip(among, kernel([code], among)[0].tolist(), strict=True))
        nearest = sorted(among, key=lambda language: (-alike[language], language))[: merging.top]
        weights = {language: round(alike[language], 4) for language in nearest if round(alike[language], 4) > 0}
        return weights or dict.fromkeys(nearest, 1.0)

    def shift(self, code: str, seed: int) -> Shift:
        """The shift of the encoder to ``code`` for the cells of a ``seed``.

        Raises ``PlanError`` where there is nothing to learn from.
        """
        recipe = self._job.shift
        if (code, own := self._own_seed(recipe.seed, seed)) not in self._shift_to:
            digest, recipe = self._text(code, "shift"), recipe.model_copy(update={"seed": own})
            made_from = self._made_from("shift", recipe.of_the_run(), language=code, text=digest)
            states = ({**made_from, "steps": steps} for steps in recipe.budgets)
            snapshots = tuple(TrainingSnapshot(adapter_key(state), state["steps"], state) for state in states)
            shift = Shift(adapter_key(made_from), code, recipe, snapshots, made_from)
            self._seed_of_snapshot |= dict.fromkeys((snapshot.key for snapshot in snapshots), own)
            self._shift_to[code, own] = self.shifts[shift.key] = shift
        return self._shift_to[code, own]

    def task(
        self,
        datasets: Sequence[Facts],
        under: LanguageAdapter | None,
        seed: int,
        recipe: TaskRecipe | None = None,
        head: TaskAdapter | None = None,
        fused: Sequence[TaskAdapter] = (),
    ) -> TaskAdapter:
        """The task adapter that learns from ``datasets`` over the frozen language adapter ``under``, if any.

        It learns by the job's recipe unless another is given. With ``head``, it learns under the frozen head of that
        run and starts from the same initial weights: a mean of weights from different initialisations is worth nothing.
        With ``fused``, it is the fusion of those task adapters.
        """
        recipe, task, method = recipe or self._job.task_recipe, datasets[0].task, self._job.method
        data = tuple(map(reference, datasets))
        made_from = self._made_from(
            "task",
            recipe.identity(),
            task=task,
            data={one.language: one.digest for one in data},
            under=under.key if under else None,
            seed=seed,
            **({} if method == "bottleneck" else {"method": method}),
            **({} if head is None else {"head": head.key}),
            **({} if all(one.limit == recipe.max_items for one in data) else {"limits": [one.limit for one in data]}),
            **({} if head is None or head.seed == seed else {"drawn_by": head.seed}),
            **({} if not fused else {"fused": [one.key for one in fused]}),
        )
        adapter = TaskAdapter(
            adapter_key(made_from),
            task,
            data,
            recipe,
            under.key if under else None,
            seed,
            made_from,
            _states(made_from, recipe.snapshots),
            head.key if head else None,
            head.seed if head else seed,
            tuple(one.key for one in fused),
        )
        return self.tasks.setdefault(adapter.key, adapter)

    def few_shot(
        self,
        lessons: Sequence[Lesson],
        start: TaskAdapter | None,
        recipe: TaskRecipe,
        how: FewShotRecipe,
        seed: int,
    ) -> FewShot:
        """The task adapter that goes on from ``start``, or begins anew, on items of several languages at once."""
        made_from = self._made_from(
            "few_shot",
            recipe.identity(),
            task=lessons[0].data.task,
            data={one.data.language: [one.data.digest, one.shots] for one in lessons},
            under={one.data.language: one.under for one in lessons},
            start=start.key if start else None,
            how=how.identity(),
            method=self._job.method,
            seed=seed,
        )
        task, key = lessons[0].data.task, adapter_key(made_from)
        run = FewShot(key, task, tuple(lessons), start.key if start else None, recipe, how, seed, made_from)
        return self.few_shots.setdefault(key, run)

    def dev_scores(self, adapters: Sequence[str], data: Sequence[DataReference], under: str | None) -> DevScores:
        """The scores of ``adapters`` on ``data``, over the language adapter ``under``, if any."""
        made_from = {
            "what": "dev_scores",
            "encoder": self._encoder.digest,
            "precision": self._precision,
            "adapters": [*adapters],
            "data": [
                {"language": one.language, "split": one.split, "digest": one.digest, "items": one.items} for one in data
            ],
            "under": under,
        }
        scores = DevScores(adapter_key(made_from), tuple(adapters), tuple(data), under, made_from)
        return self.scores.setdefault(scores.key, scores)

    def select(self, selection: str, runs: Sequence[TaskAdapter], scores: Sequence[DevScores]) -> Selected:
        """What a selection takes of ``runs``, each with the scores of its states, the end last."""
        first, states, how = runs[0], tuple(kept_as(run) for run in runs), self._job.selecting
        made_from = self._made_from(
            "selected",
            first.recipe.identity(),
            selection=selection,
            runs=[[*keys] for keys in states],
            scores=[one.key for one in scores],
            guard=how.guard,
            **({"mean_guard": how.mean_guard} if parse(selection).averages else {}),
        )
        selected = Selected(
            adapter_key(made_from),
            first.task,
            selection,
            states,
            tuple(one.key for one in scores),
            scores[0].data,
            scores[0].under,
            how.guard,
            how.mean_guard,
            first.recipe,
            made_from,
        )
        return self.selected.setdefault(selected.key, selected)

    def language_seed(self, adapter: str | None, snapshot: str | None) -> int | None:
        """The seed that a language adapter, or the run of a snapshot, was trained with; None where there is neither."""
        if adapter is not None:
            return (self.languages.get(adapter) or self.merged[adapter]).recipe.seed
        return self._seed_of_snapshot[snapshot] if snapshot is not None else None

    def _own_seed(self, first: int, seed: int) -> int:
        """The seed of the language's training run under the cells of a seed."""
        return first + seed if self._job.language_seeds == "each" else first

    def _text(self, code: str, learner: str) -> str:
        """The digest of the text that the ``learner`` of a language reads."""
        if not self._encoder.has_language_head:
            raise PlanError(
                f"{self._encoder.folder}: no masked-language-modelling head in its weights, so no {learner} can be "
                "trained; set `language_adapter: none`, or fit a head with `sprachbund pretrain`"
            )
        text = language_text(self._corpora, code, self._job.tasks)
        if text is None:
            raise PlanError(f"{code}: neither raw text nor labelled train sentences for its {learner}")
        if self._corpora.text(code) is None:
            self.notes.append(f"{code}: no raw text; its {learner} learns from labelled train sentences")
        return text.digest

    def _made_from(self, what: str, recipe: dict[str, Any], **more: Any) -> dict[str, Any]:
        return {
            "what": what,
            "encoder": self._encoder.digest,
            "precision": self._precision,
            "recipe": recipe,
            **more,
        }


def _states(made_from: dict[str, Any], snapshots: int) -> tuple[RunState, ...]:
    """The states that a run leaves before its end, which is the last of its snapshots."""
    parts = [(part, {**made_from, "part": f"{part}/{snapshots}"}) for part in range(1, snapshots)]
    return tuple(RunState(adapter_key(one), part, snapshots, one) for part, one in parts)


def language_text(corpora: Corpora, language: str, tasks: Sequence[str]) -> RawText | None:
    """Raw text of a language or, where there is none, the sentences of its labelled train splits."""
    text = corpora.text(language)
    if text is not None:
        return text
    splits = [corpora.dataset(task, language, "train") for task in tasks if corpora.has(task, language, "train")]
    sentences = dict.fromkeys(item.content() for split in splits for item in split.items)
    return RawText(language, tuple(sentences), tuple(split.provenance for split in splits)) if sentences else None


def reference(facts: Facts) -> DataReference:
    """Where a worker finds the items again that a job reads."""
    items = facts.items if facts.limit is None else min(facts.limit, facts.items)
    place = facts.task, facts.language, facts.split, facts.limit, facts.digest
    return DataReference(*place, items, facts.characters, without_copies=facts.copies > 0)
