"""Settings files: every mistake is an error with file, line, and what to write instead."""

import re
from pathlib import Path

import pytest
from pydantic import BaseModel, ConfigDict, StrictStr, model_validator

from workers.config import ConfigError, read_config
from workers.job import Job


class Inner(BaseModel):
    model_config = ConfigDict(extra="forbid")

    steps: int = 3
    rate: float = 0.1


class Settings(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: StrictStr
    codes: tuple[StrictStr, ...] = ()
    inner: Inner = Inner()
    perhaps: Inner | None = None

    @model_validator(mode="after")
    def _consistent(self) -> "Settings":
        if len(self.codes) > self.inner.steps:
            raise ValueError("`inner` has fewer steps than there are `codes`")
        return self


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "job.yaml"


def problem(path: Path, text: str) -> tuple[int | None, str]:
    """Line and words of the error that a file gets."""
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as raised:
        read_config(path, Settings)
    place = str(path) if raised.value.line is None else f"{path}:{raised.value.line}"
    assert str(raised.value) == f"{place}: {raised.value.problem}"
    return raised.value.line, raised.value.problem


def test_values_are_read_and_defaults_filled_in(path: Path) -> None:
    path.write_text('name: ä\ncodes: ["no"]\ninner: {steps: 5}\n', encoding="utf-8")
    assert read_config(path, Settings) == Settings(name="ä", codes=("no",), inner=Inner(steps=5))


@pytest.mark.parametrize(
    ("text", "line", "near"),
    [
        (
            "name: a\ncode: []\n",
            2,
            "unknown key `code`; did you mean `codes`? Allowed here: name, codes, inner, perhaps",
        ),
        ("name: a\ninner:\n  rate: 1\n  step: 2\n", 4, "unknown key `inner.step`; did you mean `steps`?"),
        ("perhaps:\n\n  stesp: 2\nname: a\n", 3, "unknown key `perhaps.stesp`; did you mean `steps`?"),
        ("name: a\nzzz: 1\n", 2, "unknown key `zzz` Allowed here: name"),
    ],
)
def test_unknown_key_has_its_line_and_the_nearest_valid_one(path: Path, text: str, line: int, near: str) -> None:
    found, told = problem(path, text)
    assert found == line
    assert told.startswith(near)


@pytest.mark.parametrize(
    ("bare", "read"),
    [("no", "False"), ("yes", "True"), ("off", "False"), ("123", "123"), ("2020-01-01", "2020-01-01"), ("1e3", None)],
)
def test_bare_word_that_yaml_reads_as_something_else_is_to_be_quoted(path: Path, bare: str, read: str | None) -> None:
    path.write_text(f"name: a\ncodes:\n  - eng\n  - {bare}\n", encoding="utf-8")
    if read is None:
        assert read_config(path, Settings).codes == ("eng", bare)
    else:
        line, told = problem(path, path.read_text(encoding="utf-8"))
        assert (line, told) == (4, f'`codes.1`: YAML read a bare `{bare}` as {read}; quote it: "{bare}"')


def test_key_without_a_value_is_not_told_to_be_quoted(path: Path) -> None:
    assert problem(path, "codes: []\nname:\n") == (2, "`name`: Input should be a valid string; found None")


def test_missing_key_is_named(path: Path) -> None:
    assert problem(path, "# settings\ncodes: []\n") == (2, "`name` is missing")


@pytest.mark.parametrize(
    ("text", "line", "told"),
    [
        ("name: a\ninner: {rate: fast}\n", 2, r"`inner\.rate`: Input should be a valid number.*; found 'fast'"),
        ("name: a\ncodes: eng\n", 2, r"`codes`: Input should be a valid list; found 'eng'"),
        ("name: a\ninner: 3\n", 2, r"`inner`: .*; found 3"),
    ],
)
def test_value_of_another_type_is_shown(path: Path, text: str, line: int, told: str) -> None:
    found, words = problem(path, text)
    assert found == line
    assert re.fullmatch(told, words)


@pytest.mark.parametrize(
    ("text", "line", "key"), [("name: a\nname: b\n", 2, "name"), ("name: a\ninner: {steps: 1, steps: 2}\n", 2, "steps")]
)
def test_key_that_stands_twice_is_not_read_as_the_last(path: Path, text: str, line: int, key: str) -> None:
    assert problem(path, text) == (line, f"key `{key}` stands twice")


def test_rule_about_several_keys_has_the_line_of_the_first(path: Path) -> None:
    line, told = problem(path, "name: a\ncodes: [a, b]\ninner: {steps: 1}\n")
    assert (line, told) == (3, "`inner` has fewer steps than there are `codes`")


@pytest.mark.parametrize(
    ("text", "line"),
    [("name: [a\ncodes: b]\n  - c\n", 2), ("name: a\n\tcodes: b\n", 2), ("name: &a *b\n", 1), ("? [a]\n: b\n", 1)],
)
def test_what_is_no_yaml_has_its_line(path: Path, text: str, line: int) -> None:
    found, told = problem(path, text)
    assert found == line
    assert told.startswith("not YAML: ")


@pytest.mark.parametrize("text", ["", "just words\n", "- name\n"])
def test_file_without_keys_is_told_some(path: Path, text: str) -> None:
    assert problem(path, text) == (1, "expected keys such as name, codes, inner")


def test_yaml_that_would_run_code_is_refused(path: Path) -> None:
    assert problem(path, "name: !!python/object/apply:os.getcwd []\n")[1].startswith("not YAML: ")


@pytest.mark.parametrize("content", [None, b"name: \xff\n"])
def test_unreadable_file_is_named(path: Path, content: bytes | None) -> None:
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigError, match=r"job\.yaml: cannot be read"):
        read_config(path, Settings)


def test_all_mistakes_are_told_at_once_a_line_each(path: Path) -> None:
    line, told = problem(path, "name: a\ncodes: 3\ncolour: red\n")

    assert line == 2
    assert "`codes`" in told
    assert "; line 3: unknown key `colour`" in told


def test_mistakes_of_one_line_are_told_too_and_what_follows_from_them_is_not(tmp_path: Path) -> None:
    job = tmp_path / "job.yaml"
    job.write_text("kind: zero_shot\nsources: [xqz, Englsh]\ntargets: [no]\ntasks: [pos]\n", encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        read_config(job, Job)
    told = str(caught.value)
    assert all(f"`{name}` is missing" in told for name in ("store", "encoder", "corpora"))
    assert "unknown language 'xqz'" in told
    assert "unknown language 'Englsh'; nearest known: eng (English)" in told
    assert 'quote it: "no"' in told
    assert "default factory" not in told
    assert "at least 1 item" not in told
