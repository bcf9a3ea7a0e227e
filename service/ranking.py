"""A ranking as bytes: an answer is the first of its sources, put together from parts that are JSON already."""

from __future__ import annotations

from dataclasses import fields, replace
from functools import cache
from typing import Any, get_type_hints

from pydantic import TypeAdapter

from matrices.recommend import RankedSource, Ranking, Recommendation
from service.schemas import MOST_RANKED

_OF_AN_ANSWER = ("version", "k", "sources", "basis")
"""What differs between answers from one ranking."""


class Serialised:
    """One ranking, of which as many sources are kept as anyone may ask for."""

    def __init__(self, ranking: Ranking, first_said: str = "") -> None:
        """``first_said`` stands before what an answer says it rests on."""
        whole = replace(ranking.whole, sources=ranking.whole.sources[:MOST_RANKED])
        self._ranking, self._first_said = replace(ranking, whole=whole), first_said
        self._sources = [_source().dump_json(source) for source in whole.sources]
        self._same = {
            name: adapter.dump_json(getattr(whole, name))
            for name, adapter in _members().items()
            if name not in _OF_AN_ANSWER
        }

    def first(self, k: int, version: int) -> bytes:
        """The answer with the ``k`` best sources, at a version of the store, as ``matrices.recommend.to_json``."""
        answer = self._ranking.first(k)
        own = {
            "version": b"%d" % version,
            "k": b"%d" % k,
            "sources": b"[" + b",".join(self._sources[:k]) + b"]",
            "basis": _members()["basis"].dump_json(self._first_said + answer.basis),
        }
        return b"{" + b",".join(key + (own.get(name) or self._same[name]) for name, key in _keys().items()) + b"}"


@cache
def _members() -> dict[str, TypeAdapter[Any]]:
    types = get_type_hints(Recommendation)
    return {field.name: TypeAdapter(types[field.name]) for field in fields(Recommendation)}


@cache
def _keys() -> dict[str, bytes]:
    return {name: f'"{name}":'.encode() for name in _members()}


@cache
def _source() -> TypeAdapter[RankedSource]:
    return TypeAdapter(RankedSource)
