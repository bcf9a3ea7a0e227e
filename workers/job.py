"""A matrix job: what to measure, as one YAML file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictStr,
    ValidationInfo,
    field_validator,
)

from adapters_zoo.blobs import BUCKETS, in_bucket
from adapters_zoo.recipes import (
    FewShotRecipe,
    LanguageAdapterRecipe,
    LowRankRecipe,
    Method,
    Positive,
    ShiftRecipe,
    TaskAdapterRecipe,
    TaskRecipe,
    TunedRecipe,
)
from matrices.selections import LAST, parse
from workers.config import read_config
from workers.job_settings import (
    FUSION,
    Change,
    EncoderReference,
    EvaluationSettings,
    LanguageCode,
    MergeSettings,
    SelectionSettings,
)

Composition = Literal["alone", "stack", "merge", "shift", "multi", "fuse"]
SourceSet = Annotated[tuple[LanguageCode, ...], Field(min_length=2), AfterValidator(lambda given: _sorted(given))]
"""Sources that are learnt from together, in the order of their codes, however they are listed."""
Seed = Annotated[int, Field(ge=0)]
SelectionName = Annotated[StrictStr, AfterValidator(lambda given: _checked(given))]


def _checked(name: str) -> str:
    parse(name)
    return name


def _sorted(codes: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(codes)) < len(codes):
        raise ValueError("a source stands twice, perhaps under two names")
    return tuple(sorted(codes))


def _none_or_recipe(given: Any) -> Any:
    if given is None:
        raise ValueError("is empty; say `none` for no language adapter, or leave the key out for the usual one")
    return None if given == "none" else given


class Job(BaseModel):
    """A matrix job. Relative paths are looked up from the job file's folder."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    store: str = Field(description="where cells are kept: a folder or an s3:// or gs:// URI")
    zoo: str | None = Field(
        None, validate_default=True, description="where adapters are kept, as for the store; `zoo` beside it by default"
    )
    encoder: EncoderReference
    corpora: Path
    kind: Literal["zero_shot", "interference"] = "zero_shot"
    tasks: Annotated[tuple[StrictStr, ...], Field(min_length=1)]
    sources: Annotated[tuple[LanguageCode, ...], Field(min_length=1)]
    targets: Annotated[tuple[LanguageCode, ...], Field(min_length=1)]
    pivots: Annotated[tuple[LanguageCode, ...], Field(min_length=1)] | None = Field(
        None,
        description="interference: languages the task adapter learns from; sources with train data by default",
    )
    language_adapter: Annotated[LanguageAdapterRecipe | None, BeforeValidator(_none_or_recipe)] = Field(
        LanguageAdapterRecipe(), description="the language adapters' recipe, or `none` for task adapters alone"
    )
    compositions: Annotated[tuple[Composition, ...], Field(min_length=1)] = Field(
        default_factory=lambda known: ("alone",) if known.get("language_adapter", True) is None else ("stack",),
        validate_default=True,
        description="zero_shot: the task adapter alone, on its target's language adapter (stack), on a mean of "
        "others' (merge), alone and learnt from each of `sets` (multi), or a fusion of those of a set (fuse). "
        "interference: what a transfer language "
        "adds, its adapter (stack) or training of the encoder itself (shift). "
        "By default stack, or alone where there are no language adapters",
    )
    cells: dict[LanguageCode, tuple[LanguageCode, ...]] | None = Field(
        None, description="target: its sources; measures these pairs alone, by default every source on every target"
    )
    sets: tuple[SourceSet, ...] = Field(
        (),
        description="multi: sources that one task adapter learns from together, under the items of a single one. "
        "fuse: sources whose task adapters are fused, on the same items",
    )
    seeds: Annotated[tuple[Seed, ...], Field(min_length=1)] = (0, 1, 2)
    shift: ShiftRecipe = ShiftRecipe()
    language_seeds: Literal["one", "each"] = Field(
        "one",
        description="one training run of a language adapter or shift for all seeds, or one for each of `seeds`: "
        "then verdicts hold for the language, not for one run",
    )
    method: Method = Field(
        "bottleneck", description="how the task is learnt: an adapter, low-rank additions, or the encoder's layers"
    )
    task_adapter: TaskAdapterRecipe = TaskAdapterRecipe()
    lora: LowRankRecipe = LowRankRecipe()
    full: TunedRecipe = TunedRecipe()
    fusion: Change = Field(
        FUSION, description="fuse: how learning a fusion differs from learning the task adapters that it is of"
    )
    head: Literal["own", "shared"] = Field(
        "own",
        description="each run learns a head of its own, or all runs of a source learn under that of a first one, "
        "frozen: weights of several runs have a mean only then",
    )
    recipes: tuple[Change, ...] = Field(
        (), description="further recipes, as changes of the method's; each has a matrix of its own"
    )
    selections: Annotated[tuple[SelectionName, ...], Field(min_length=1)] = Field(
        (LAST,), description="which weights of a run, or of several, are measured"
    )
    selecting: SelectionSettings = SelectionSettings()
    merging: MergeSettings = MergeSettings()
    shots: Annotated[tuple[Annotated[int, Field(ge=0)], ...], Field(min_length=1)] = Field(
        (0,),
        description="numbers of labelled items of a target that weights learn from too; 0 is zero-shot. Each of "
        "`seeds` draws its own",
    )
    few_shot: FewShotRecipe = FewShotRecipe()
    evaluation: EvaluationSettings = EvaluationSettings()
    leave_out_copies: bool = Field(
        True, description="train on no item whose text is in the same language's dev or test"
    )
    min_items: Positive = Field(20, description="a split with fewer items is an error before any training")
    workers: Positive | None = Field(None, description="worker processes; one a core by default, or one a GPU")
    gpus_per_worker: Annotated[float, Field(ge=0)] = Field(0, description="share of a GPU each worker reserves")
    object_store: Positive = Field(512, description="MiB of shared memory for a Ray that is started on this machine")
    time_limit: Annotated[float, Field(gt=0)] = Field(
        7200, description="seconds one adapter or column may take before it is stopped and recorded as failed"
    )
    outage: Annotated[float, Field(gt=0)] = Field(
        900, description="seconds that disk, store, zoo or cluster may be out of reach before the job ends"
    )
    precision: Literal["auto", "fp32", "bf16"] = Field("auto", description="auto: bf16 where the hardware has it")

    @field_validator("sources", "targets", "pivots")
    @classmethod
    def _listed_once(cls, codes: tuple[str, ...] | None) -> tuple[str, ...] | None:
        twice = next((code for code in codes or () if (codes or ()).count(code) > 1), None)
        if twice is not None:
            raise ValueError(f"{twice} is listed twice, perhaps under two names")
        return codes

    @field_validator("cells")
    @classmethod
    def _of_these_languages(
        cls, cells: dict[str, tuple[str, ...]] | None, info: ValidationInfo
    ) -> dict[str, tuple[str, ...]] | None:
        for target, sources in (cells or {}).items():
            for code, name in ((target, "targets"), *((source, "sources") for source in sources)):
                if code not in info.data.get(name, (code,)):
                    raise ValueError(f"{code} is not among the {name}; add it there")
        return cells

    @field_validator("sets")
    @classmethod
    def _are_of_sources_and_asked_for(
        cls, sets: tuple[tuple[str, ...], ...], info: ValidationInfo
    ) -> tuple[tuple[str, ...], ...]:
        sources = info.data.get("sources")
        for code in (code for members in sets for code in members):
            if sources is not None and code not in sources:
                raise ValueError(f"{code} is not among the sources; add it there")
        if bool({"multi", "fuse"} & {*info.data.get("compositions", ())}) != bool(sets):
            raise ValueError("go with `compositions: [alone, multi]` or `[alone, fuse]`, and those with `sets`")
        return sets

    @field_validator("seeds", "tasks", "compositions", "recipes", "selections", "shots", "sets")
    @classmethod
    def _distinct(cls, values: tuple[Any, ...]) -> tuple[Any, ...]:
        if len(set(values)) < len(values):
            raise ValueError("stands twice")
        return values

    @field_validator("pivots")
    @classmethod
    def _belong_to_interference(cls, pivots: tuple[str, ...] | None, info: ValidationInfo) -> tuple[str, ...] | None:
        if pivots is not None and info.data.get("kind", "interference") != "interference":
            raise ValueError("goes with `kind: interference` only")
        return pivots

    @field_validator("compositions")
    @classmethod
    def _go_with_the_kind(cls, compositions: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        kind = info.data.get("kind")
        allowed = {"zero_shot": ("alone", "stack", "merge", "multi", "fuse"), "interference": ("stack", "shift")}.get(
            str(kind), compositions
        )
        for composition in compositions:
            if composition not in allowed:
                raise ValueError(f"{composition} does not go with `kind: {kind}`; allowed: {', '.join(allowed)}")
        for composition in ("stack", "merge"):
            if composition in compositions and info.data.get("language_adapter", True) is None:
                raise ValueError(f"{composition} needs language adapters, and `language_adapter` is none")
        return compositions

    @field_validator("shift")
    @classmethod
    def _is_asked_for(cls, shift: ShiftRecipe, info: ValidationInfo) -> ShiftRecipe:
        if "shift" not in info.data.get("compositions", ("shift",)):
            raise ValueError("goes with `compositions: [stack, shift]` or `[shift]` only")
        return shift

    @field_validator("method")
    @classmethod
    def _goes_with_shifts(cls, method: Method, info: ValidationInfo) -> Method:
        if method == "full" and "shift" in info.data.get("compositions", ()):
            raise ValueError("full takes the place of the layers that `shift` changes; use bottleneck or lora")
        if method != "bottleneck" and "fuse" in info.data.get("compositions", ()):
            raise ValueError("`fuse` is of bottleneck adapters alone; use `method: bottleneck`, or `multi`")
        return method

    @field_validator("task_adapter", "lora", "full")
    @classmethod
    def _is_of_the_method(cls, recipe: TaskRecipe, info: ValidationInfo) -> TaskRecipe:
        method = next(method for method, field in _RECIPES.items() if field == info.field_name)
        if info.data.get("method", method) != method:
            raise ValueError(f"goes with `method: {method}` only")
        return recipe

    @field_validator("selections")
    @classmethod
    def _can_be_made(cls, names: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        if info.data.get("kind") == "interference" and names != (LAST,):
            raise ValueError("go with `kind: zero_shot`; of interference `last` alone is measured")
        field = _RECIPES.get(info.data.get("method", "bottleneck"), "task_adapter")
        recipe, runs = info.data.get(field), len(info.data.get("seeds", ())) * (1 + len(info.data.get("recipes", ())))
        for name, selection in zip(names, map(parse, names), strict=True):
            if selection.needs_snapshots and recipe is not None and recipe.snapshots < 2:
                raise ValueError(f"{name} chooses among snapshots of a run; keep some: `{field}: {{snapshots: 10}}`")
            if selection.runs > runs:
                raise ValueError(f"{name} needs {selection.runs} runs, and seeds and recipes make {runs}")
            if selection.averages_runs and info.data.get("head") == "own":
                raise ValueError(f"{name} is a mean of several runs, whose heads must be one; set `head: shared`")
        return names

    @field_validator("shots")
    @classmethod
    def _go_with_transfer(cls, shots: tuple[int, ...], info: ValidationInfo) -> tuple[int, ...]:
        if 0 not in shots:
            raise ValueError("lacks 0: what shots add to is zero-shot")
        if len(shots) > 1 and info.data.get("kind") == "interference":
            raise ValueError("goes with `kind: zero_shot` only")
        return shots

    @field_validator("store", "zoo")
    @classmethod
    def _is_a_place(cls, place: str | None) -> str | None:
        if place is not None and "://" in place and not in_bucket(place):
            raise ValueError(f"name a folder, or a URI that begins with {' or '.join(BUCKETS)}")
        return place

    @field_validator("zoo")
    @classmethod
    def _can_lie_beside(cls, zoo: str | None, info: ValidationInfo) -> str | None:
        store = info.data.get("store", "")
        if zoo is None and in_bucket(store) and "/" not in store.partition("://")[2].rstrip("/"):
            raise ValueError("must be given where the store is a whole bucket")
        return zoo

    @property
    def task_recipe(self) -> TaskRecipe:
        """The recipe of the method."""
        recipe: TaskRecipe = getattr(self, _RECIPES[self.method])
        return recipe

    @property
    def task_recipes(self) -> tuple[TaskRecipe, ...]:
        """The recipe of the method, and the further ones that differ from it."""
        return tuple(dict.fromkeys([self.task_recipe, *(change.of(self.task_recipe) for change in self.recipes)]))

    def relative_to(self, folder: Path) -> Job:
        """The same job with relative paths taken from ``folder``, and the zoo's place decided."""
        store = _from(folder, self.store)
        zoo = _from(folder, self.zoo) if self.zoo is not None else _beside(store, "zoo")
        return self.model_copy(update={"store": store, "zoo": zoo, "corpora": folder / self.corpora})


_RECIPES: Mapping[Method, str] = {"bottleneck": "task_adapter", "lora": "lora", "full": "full"}
"""The key of the recipe of each method."""


def _from(folder: Path, place: str) -> str:
    return place if in_bucket(place) else str(folder / place)


def _beside(place: str, name: str) -> str:
    return f"{place.rstrip('/').rpartition('/')[0]}/{name}" if in_bucket(place) else str(Path(place).parent / name)


def load_job(path: Path) -> Job:
    """Read a job file. Raises ``ConfigError`` naming file, line and the nearest valid key."""
    return read_config(path, Job).relative_to(path.parent)
