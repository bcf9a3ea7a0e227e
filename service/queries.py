"""The query of a request as a model, read without FastAPI's way of doing it, which takes longer than most answers."""

from __future__ import annotations

from functools import cache
from typing import Any, TypeVar

from fastapi import Depends, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError

Model = TypeVar("Model", bound=BaseModel)


def query(model: type[Model]) -> Any:
    """A dependency that is a query of this model. Raises ``RequestValidationError``."""

    async def read(request: Request) -> Model:
        several, given = _lists(model), dict[str, Any]()
        for name, value in request.query_params.multi_items():
            if name in several:
                given.setdefault(name, []).append(value)
            else:
                given[name] = value
        try:
            return model.model_validate(given)
        except ValidationError as error:
            raise RequestValidationError(error.errors()) from None

    return Depends(read)


def parameters(model: type[BaseModel]) -> dict[str, Any]:
    """What an OpenAPI document says of a query of this model."""
    schema = model.model_json_schema()
    return {"parameters": [_parameter(name, schema) for name in model.model_fields]}


def _parameter(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    said = schema["properties"][name]
    told = {"description": said["description"]} if "description" in said else {}
    return {"name": name, "in": "query", "required": name in schema.get("required", ()), "schema": said, **told}


@cache
def _lists(model: type[BaseModel]) -> frozenset[str]:
    """The names that may be given several times."""
    return frozenset(
        name for name, said in model.model_json_schema()["properties"].items() if said.get("type") == "array"
    )
