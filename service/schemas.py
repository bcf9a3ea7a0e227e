"""What the service takes and gives, besides the recommendation itself (``matrices.recommend.answer``)."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from matrices.cells import Kind
from matrices.measures.catalogue import MEASURES
from matrices.reading import MatrixInfo, Provenance
from matrices.recommend import Recommendation

PAGE_MOST = 10_000
MOST_RANKED = 100
TARGETS_MOST = 50

MatrixName = Annotated[str, Field(max_length=200, description="Name of a matrix, as /v1/matrices lists them.")]
MeasureName = Annotated[str, Field(max_length=100, description=f"One of: {', '.join(MEASURES)}.")]
AdapterKey = Annotated[str, Field(pattern="^[0-9a-f]{32}$", description="Key of a trained adapter.")]
LanguageTag = Annotated[
    str, Field(min_length=1, max_length=100, description="A language: ISO 639 code, BCP-47 tag, or English name.")
]
Encoder = Annotated[str | None, Field(max_length=200, description="An encoder, as /v1/matrices lists them.")]
Composition = Annotated[
    str | None, Field(max_length=100, description="How adapters were put together; stack, else the first by name.")
]
Selection = Annotated[
    str | None, Field(max_length=100, description="Which weights were evaluated; last, else the first by name.")
]


class _Query(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Asked(_Query):
    task: str = Field(max_length=100, description="A task, as /v1/matrices lists them.")
    k: int = Field(default=5, ge=1, le=MOST_RANKED, description="How many sources to rank.")
    matrix: MatrixName | None = None
    kind: Kind | None = Field(default=None, description="zero_shot comes first where both were measured.")
    encoder: Encoder = None
    composition: Composition = None
    selection: Selection = None
    source: list[LanguageTag] = Field(
        default=[], max_length=20, description="Rank this language too, whether or not it was measured; repeatable."
    )
    shots: bool = Field(
        default=False, description="Answer from a matrix in which labelled items of the target were measured, if any."
    )


class RecommendationQuery(_Asked):
    """Which task and target, and how many sources."""

    target: LanguageTag


class RecommendationsBody(_Asked):
    """The same question about several targets."""

    targets: list[LanguageTag] = Field(min_length=1, max_length=TARGETS_MOST, description="Languages to transfer to.")


class MeasureQuery(_Query):
    """Of which cells, where a matrix was measured in several ways."""

    composition: Composition = None
    selection: Selection = None
    unseen: list[LanguageTag] = Field(
        default=[],
        max_length=200,
        description="A language the encoder was not pretrained on, marked in `interference` and `pairs`; repeatable. "
        "Left out: as is known of the encoder.",
    )


class MatrixQuery(_Query):
    """Of which cells the grid is, where a matrix was measured in several ways."""

    composition: Composition = None
    selection: Selection = None


class CellsQuery(_Query):
    """Which cells of a matrix, in which order, and which page of them; or the pairs they make."""

    form: Literal["cells", "pairs"] = Field(
        default="cells",
        description="`pairs`: a row a source and target with mean, SD, interval, n, baseline, change, names, families, "
        "and whether the encoder saw them; as JSON, Arrow, Parquet or CSV, all on one page.",
    )
    source: LanguageTag | None = None
    target: LanguageTag | None = None
    composition: Composition = None
    selection: Selection = None
    where: list[Annotated[str, Field(max_length=200)]] = Field(
        default=[],
        max_length=20,
        description="A condition on a column: `score>=0.5`, `status=failed`, `source=` (none); repeatable, all hold.",
    )
    sort: str | None = Field(
        default=None, max_length=200, description="Columns to sort by, with commas; `-` before one: downwards."
    )
    outcomes: bool = Field(default=False, description="Also the outcomes of every item (lists `correct` and `total`).")
    limit: int | None = Field(default=None, ge=1, le=PAGE_MOST, description="Cells in a page.")
    cursor: str | None = Field(
        default=None, max_length=400, description="`next` of the page before; nothing else may change."
    )


class DownloadQuery(_Query):
    """Which version of a matrix."""

    version: int | None = Field(default=None, ge=0, description="A version of the store; default the newest.")


class VersionsQuery(_Query):
    """Between which versions changes are told."""

    since: int | None = Field(default=None, ge=0, description="What changed since this version; left out: none.")
    until: int | None = Field(default=None, ge=0, description="Up to this version; default the newest.")
    limit: int = Field(default=100, ge=1, le=1000, description="Versions listed, and changes told, at most.")


class LanguagesQuery(_Query):
    """What was typed so far."""

    q: str = Field(default="", max_length=100, description="The beginning of a code or of any name; empty: measured.")
    limit: int = Field(default=10, ge=1, le=100, description="Suggestions at most.")


class Matrices(BaseModel):
    """Every matrix, and what they were measured on where they came in the box."""

    matrices: list[MatrixInfo]
    measured_on: Provenance | None
    left_out: list[str] = Field(description="What of the store could not be used, and why: a line each.")


class Grid(BaseModel):
    """Mean scores over seeds of one composition and selection; languages in order of family, then code."""

    composition: str
    selection: str
    sources: list[str]
    targets: list[str]
    scores: list[list[float | None]] = Field(description="[source][target]; null where nothing was measured.")
    baseline: list[float | None] = Field(description="[target]; null where there is none.")


class Place(BaseModel):
    """About where a language is at home."""

    latitude: float
    longitude: float


class MatrixDetail(BaseModel):
    """One matrix: its counts, its axes, and its mean scores."""

    matrix: str
    kind: str
    task: str
    metric: str
    encoder: str
    version: int
    cells: int
    failed: int = Field(description="Cells without a score: they failed, or the metric is not defined on them.")
    seeds: list[int]
    compositions: list[str]
    selections: list[str]
    names: dict[str, str] = Field(description="English name of every language, by code.")
    families: dict[str, str] = Field(description="Family of every language of which it is known, by code.")
    places: dict[str, Place] = Field(description="Where languages are at home, of those of which it is known, by code.")
    grid: Grid
    measured_on: Provenance | None
    non_commercial: bool | None = Field(description="Whether a corpus forbids commercial use; null: not known.")
    citation: str


class CellsPage(BaseModel):
    """Some cells of a matrix at one version; sorted as a download is, where no order is asked for."""

    matrix: str
    version: int
    total: int = Field(description="Cells on all pages.")
    cells: list[dict[str, Any]]
    next: str | None = Field(description="Cursor of the page after; null on the last.")


class Version(BaseModel):
    """One commit of a store."""

    version: int
    created: str | None = Field(description="When it was committed, ISO 8601; null of the box.")
    what: str = Field(description="`write`, `optimize` (files joined, the same cells), `create`; `box`.")
    rows: int | None = Field(description="Rows it added, of any matrix; null where it is not recorded.")


class ChangesBetween(BaseModel):
    """What changed in a matrix between two versions, place by place."""

    since: int
    until: int
    added: int
    changed: int
    removed: int
    rows: list[dict[str, Any]] = Field(description="The first of them: place, change, and score before and after.")


class Versions(BaseModel):
    """The versions there are, the newest first, and what changed between two."""

    matrix: str
    versions: list[Version]
    changes: ChangesBetween | None


class Suggestion(BaseModel):
    """A language that may be meant."""

    code: str = Field(description="ISO 639-3.")
    name: str
    matched: str | None = Field(description="The name that was typed, where that is another one.")
    source_in: int = Field(description="In how many matrices it was measured as a source.")
    target_in: int = Field(description="And as a target of others.")


class Suggestions(BaseModel):
    """What may be meant by what was typed so far, the likeliest first."""

    languages: list[Suggestion]


class LanguageDetail(BaseModel):
    """A language, and the matrices that have it."""

    code: str = Field(description="ISO 639-3.")
    name: str
    family: str | None
    genus: str | None
    script: str | None = Field(description="ISO 15924.")
    place: Place | None
    source_in: list[str] = Field(description="Matrices with scores of this language as a source.")
    target_in: list[str] = Field(description="Matrices with scores of other languages on this one.")


class Health(BaseModel):
    """The process runs."""

    status: Literal["ok"]


class Readiness(BaseModel):
    """The service has matrices to answer from."""

    status: Literal["ready"]
    version: int
    matrices: int
    left_out: int = Field(description="Lines of what could not be used; /v1/matrices has them.")


class Problem(BaseModel):
    """What went wrong (RFC 9457), and what there is instead."""

    model_config = ConfigDict(extra="allow")

    type: str
    title: str
    status: int
    detail: str


class TargetAnswer(BaseModel):
    """What is to be said of one target: an answer, or why there is none."""

    target: str = Field(description="As it was given.")
    answer: Recommendation | None
    problem: Problem | None


class Recommendations(BaseModel):
    """An answer for each target, in the order they were given."""

    answers: list[TargetAnswer]
