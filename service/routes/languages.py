"""Languages, by any name."""

from __future__ import annotations

from typing import Annotated

import pyarrow as pa
import pyarrow.compute as pc
from fastapi import APIRouter, Path, Request, Response

from matrices.held import Held
from matrices.languages import genealogy
from matrices.recommend import code_of, named, targets
from service.answers import answer
from service.dependencies import Ours
from service.problems import documented
from service.schemas import LanguageDetail, LanguageTag

router = APIRouter(tags=["languages"])


@router.get("/v1/languages/{tag}", response_model=LanguageDetail, responses=documented(404, 422, 503))
def show_language(request: Request, ours: Ours, tag: Annotated[LanguageTag, Path()]) -> Response:
    """The language of a code, tag or name, its family and script, and the matrices that have it."""
    body = _detail(ours.snapshots.current(), tag)
    return answer(request, body.model_dump_json().encode(), ours.settings.cache_seconds)


def _detail(held: Held, tag: str) -> LanguageDetail:
    tables = {info.matrix: held.cells(info.matrix) for info in held.matrices()}
    sources = {name: _sources(cells) for name, cells in tables.items()}
    of_targets = {name: targets(cells) for name, cells in tables.items()}
    code = code_of(tag, {code for codes in [*sources.values(), *of_targets.values()] for code in codes})
    tree = genealogy(code)
    return LanguageDetail(
        code=code,
        name=named(code).name,
        family=tree.family if tree else None,
        genus=tree.genus if tree else None,
        script=tree.script if tree else None,
        source_in=[name for name, codes in sources.items() if code in codes],
        target_in=[name for name, codes in of_targets.items() if code in codes],
    )


def _sources(cells: pa.Table) -> list[str]:
    measured = cells["source"].filter(pc.and_(pc.equal(cells["status"], "ok"), pc.is_valid(cells["source"])))
    return sorted(pc.unique(measured).to_pylist())
