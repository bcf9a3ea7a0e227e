"""Languages, by any name."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response

from matrices.languages import genealogy
from matrices.recommend import code_of, named
from matrices.snapshot import Snapshot
from matrices.typeahead import suggest
from service.answers import answer
from service.dependencies import Now, Ours
from service.overview import place_from
from service.problems import documented
from service.queries import parameters, query
from service.schemas import LanguageDetail, LanguagesQuery, LanguageTag, Suggestion, Suggestions

router = APIRouter(tags=["languages"])


@router.get(
    "/v1/languages",
    response_model=Suggestions,
    responses=documented(414, 422, 503),
    openapi_extra=parameters(LanguagesQuery),
)
def suggest_languages(
    request: Request, ours: Ours, held: Now, query: Annotated[LanguagesQuery, query(LanguagesQuery)]
) -> Response:
    """What may be meant by the beginning of a code or name: any language there is, those that were measured marked."""
    measured = held.kept.values()
    first = frozenset().union(*(kept.languages for kept in measured))
    found = suggest(query.q, query.limit, first)
    body = Suggestions(
        languages=[
            Suggestion(
                code=one.code,
                name=one.name,
                matched=one.matched,
                source_in=sum(one.code in kept.sources for kept in measured),
                target_in=sum(one.code in kept.targets for kept in measured),
            )
            for one in found
        ]
    )
    return answer(request, body.model_dump_json().encode(), ours.settings.cache_seconds)


@router.get("/v1/languages/{tag}", response_model=LanguageDetail, responses=documented(404, 414, 422, 503))
def show_language(request: Request, ours: Ours, held: Now, tag: Annotated[LanguageTag, Path()]) -> Response:
    """The language of a code, tag or name, its family and script, and the matrices that have it."""
    return answer(request, _detail(held, tag).model_dump_json().encode(), ours.settings.cache_seconds)


def _detail(held: Snapshot, tag: str) -> LanguageDetail:
    code = code_of(tag, frozenset().union(*(kept.languages for kept in held.kept.values())))
    tree = genealogy(code)
    return LanguageDetail(
        code=code,
        name=named(code).name,
        family=tree.family if tree else None,
        genus=tree.genus if tree else None,
        script=tree.script if tree else None,
        place=place_from(code),
        source_in=[name for name, kept in held.kept.items() if code in kept.sources],
        target_in=[name for name, kept in held.kept.items() if code in kept.targets],
    )
