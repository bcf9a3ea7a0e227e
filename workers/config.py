"""YAML files checked by Pydantic models, with errors that name the line and the nearest valid key."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from matrices.nearest import nearest

Model = TypeVar("Model", bound=BaseModel)


class ConfigError(ValueError):
    """A settings file that cannot be used. Says file, line, what is wrong and what is allowed."""

    def __init__(self, path: Path, line: int | None, problem: str) -> None:
        self.path, self.line, self.problem = path, line, problem
        super().__init__(f"{path}{'' if line is None else f':{line}'}: {problem}")


def read_config(path: Path, model: type[Model]) -> Model:
    """Read a YAML file into ``model``. Raises ``ConfigError`` with all problems and their lines."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(path, None, f"cannot be read ({error})") from error
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        values = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise ConfigError(path, mark.line + 1 if mark else None, f"not YAML: {error}") from error
    if not isinstance(root, yaml.MappingNode):
        raise ConfigError(path, 1, f"expected keys such as {', '.join(list(model.model_fields)[:3])}")
    _refuse_duplicates(path, root)
    try:
        return model.model_validate(values)
    except ValidationError as error:
        problems: dict[tuple[int, str], tuple[int, str]] = {}
        for mistake in _own(error.errors()):
            # A rule about several keys has no place of its own, but names them in backquotes.
            location = mistake["loc"] or tuple(re.findall(r"`(\w+)`", mistake["msg"])[:1])
            key, value = _find(root, location)
            # Of a value that may be of several kinds each says what it lacks; the first is enough.
            of = str(location) if mistake["type"] == "missing" else ""
            problems.setdefault((key.start_mark.index, of), (key.start_mark.line + 1, _explain(mistake, model, value)))
        [(line, problem), *others] = problems.values()
        also = "".join(f"; line {at}: {said}" for at, said in sorted(others))
        raise ConfigError(path, line, f"{problem}{also}") from error


def _own(errors: Sequence[Any]) -> list[Any]:
    """The mistakes themselves: not what follows from one further down, or from one in another key."""
    wrong = {error["loc"] for error in errors}
    above = {place[:end] for place in wrong for end in range(1, len(place))}
    return [error for error in errors if error["loc"] not in above and error["type"] != "default_factory_not_called"]


def _explain(error: Any, model: type[BaseModel], node: yaml.Node) -> str:
    location, kind = error["loc"], error["type"]
    name = ".".join(str(part) for part in location)
    if kind == "extra_forbidden":
        allowed = _keys_at(model, location[:-1])
        meant = "".join(f"; did you mean `{near}`?" for near in nearest(str(location[-1]), allowed))
        return f"unknown key `{name}`{meant} Allowed here: {', '.join(allowed)}"
    if kind == "missing":
        return f"`{name}` is missing"
    if kind == "string_type" and isinstance(node, yaml.ScalarNode) and node.value:
        return f'`{name}`: YAML read a bare `{node.value}` as {error["input"]}; quote it: "{node.value}"'
    message = error["msg"].removeprefix("Value error, ").replace("valid tuple", "valid list")
    return f"`{name}`: {message}; found {error['input']!r}" if name else message


def _keys_at(model: type[BaseModel], location: tuple[Any, ...]) -> list[str]:
    """The keys a nested model allows at a location."""
    current: Any = model
    for part in location:
        if isinstance(part, str) and part in getattr(current, "model_fields", {}):
            current = _model_in(current.model_fields[part].annotation) or current
    return [field.alias or name for name, field in current.model_fields.items()]


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for argument in getattr(annotation, "__args__", ()):
        inner = _model_in(argument)
        if inner is not None:
            return inner
    return None


def _find(root: yaml.Node, location: tuple[Any, ...]) -> tuple[yaml.Node, yaml.Node]:
    """The deepest node on the way to a location, and its key (in a mapping) or itself: where a reader should look."""
    mark = node = root
    for part in location:
        if isinstance(node, yaml.MappingNode):
            pair = next(((key, value) for key, value in node.value if key.value == str(part)), None)
            if pair is None:
                break
            mark, node = pair
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            mark = node = node.value[part]
    return mark, node


def _refuse_duplicates(path: Path, node: yaml.Node) -> None:
    """YAML keeps the last of two equal keys without a word; that hides a mistake."""
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            if key.value in seen:
                raise ConfigError(path, key.start_mark.line + 1, f"key `{key.value}` stands twice")
            seen.add(key.value)
            _refuse_duplicates(path, value)
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            _refuse_duplicates(path, value)
