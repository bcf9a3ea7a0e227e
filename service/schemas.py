"""What the service takes and gives, besides the recommendation itself (``matrices.recommend.answer``)."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from matrices.cells import Kind
from matrices.measures.catalogue import MEASURES
from matrices.reading import MatrixInfo, Provenance

PAGE_MOST = 10_000

MatrixName = Annotated[str, Field(max_length=200, description="Name of a matrix, as /v1/matrices lists them.")]
MeasureName = Annotated[str, Field(max_length=100, description=f"One of: {', '.join(MEASURES)}.")]
LanguageTag = Annotated[
    str, Field(min_length=1, max_length=100, description="A language: ISO 639 code, BCP-47 tag, or English name.")
]


class _Query(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class RecommendationQuery(_Query):
    """Which task and target, and how many sources."""

    task: str = Field(max_length=100, description="A task, as /v1/matrices lists them.")
    target: LanguageTag
    k: int = Field(default=5, ge=1, le=100, description="How many sources to rank.")
    matrix: MatrixName | None = None
    kind: Kind | None = Field(default=None, description="zero_shot comes first where both were measured.")
    source: list[LanguageTag] = Field(
        default=[], max_length=20, description="Rank this language too, whether or not it was measured; repeatable."
    )


class MeasureQuery(_Query):
    """Of which cells, where a matrix was measured in several ways."""

    composition: str | None = Field(
        default=None, max_length=100, description="How adapters were put together; stack, else the first by name."
    )
    selection: str | None = Field(
        default=None, max_length=100, description="Which weights were evaluated; last, else the first by name."
    )
    unseen: list[LanguageTag] = Field(
        default=[],
        max_length=200,
        description="A language the encoder was not pretrained on, marked in `interference` and `pairs`; repeatable. "
        "Left out: as is known of the encoder.",
    )


class CellsQuery(_Query):
    """Which cells of a matrix, and which page of them."""

    source: LanguageTag | None = None
    target: LanguageTag | None = None
    outcomes: bool = Field(default=False, description="Also the outcomes of every item (lists `correct` and `total`).")
    limit: int | None = Field(default=None, ge=1, le=PAGE_MOST, description="Cells in a page.")
    cursor: str | None = Field(
        default=None, max_length=400, description="`next` of the page before; nothing else may change."
    )


class DownloadQuery(_Query):
    """Which version of a matrix."""

    version: int | None = Field(default=None, ge=0, description="A version of the store; default the newest.")


class Matrices(BaseModel):
    """Every matrix, and what they were measured on where they came in the box."""

    matrices: list[MatrixInfo]
    measured_on: Provenance | None


class Grid(BaseModel):
    """Mean scores over seeds of one composition and selection; languages in order of family, then code."""

    composition: str
    selection: str
    sources: list[str]
    targets: list[str]
    scores: list[list[float | None]] = Field(description="[source][target]; null where nothing was measured.")
    baseline: list[float | None] = Field(description="[target]; null where there is none.")


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
    grid: Grid
    measured_on: Provenance | None


class CellsPage(BaseModel):
    """Some cells of a matrix at one version, sorted as a download is."""

    matrix: str
    version: int
    total: int = Field(description="Cells on all pages.")
    cells: list[dict[str, Any]]
    next: str | None = Field(description="Cursor of the page after; null on the last.")


class LanguageDetail(BaseModel):
    """A language, and the matrices that have it."""

    code: str = Field(description="ISO 639-3.")
    name: str
    family: str | None
    genus: str | None
    script: str | None = Field(description="ISO 15924.")
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


class Problem(BaseModel):
    """What went wrong (RFC 9457), and what there is instead."""

    model_config = ConfigDict(extra="allow")

    type: str
    title: str
    status: int
    detail: str
