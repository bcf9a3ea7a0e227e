"""What a ``corpora.yaml`` may say: one block a corpus, of files in the folder or of a data set of a hub."""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StrictBool,
    StrictInt,
    StrictStr,
    field_validator,
    model_validator,
)

from matrices.languages import resolve
from workers.corpora.formats import FORMATS
from workers.corpora.types import SPLITS, Split
from workers.rows import refusal
from workers.tasks import kinds, task_of

Name = Annotated[StrictStr, Field(min_length=1)]
ColumnName = Name | Annotated[StrictInt, Field()] | tuple[Name, ...] | None
"""A column by its name, or by its position where a file names none; several; or none."""

PLACEHOLDER = "{language}"
WHOLE = "all"
TEXT_FORMAT = "text"
_COMMON = {"name", "format", "language", "languages", "licence", "non_commercial", "parallel"}
_LABELLED = _COMMON | {"task", "train", "dev", "test", WHOLE, "split"}


class _Block(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Common(_Block):
    """What every block may say. With ``languages``, ``{language}`` in a file name stands for each of them.

    ``languages`` may map what files call a language to the language it is.
    """

    language: Name | None = None
    languages: tuple[Name, ...] | dict[Name, Name] | None = Field(default=None, min_length=1)
    parallel: Name | None = None
    licence: Name | None = None
    non_commercial: StrictBool | None = None
    labels: tuple[Name, ...] | dict[StrictStr | StrictInt, Name] | None = Field(default=None, min_length=1)
    columns: dict[StrictStr, ColumnName] = Field(default_factory=dict)
    repair: StrictBool = False
    unanswerable: StrictBool = False
    kind: Name | None = None
    train: Name | None = None
    dev: Name | None = None
    test: Name | None = None

    @field_validator("language")
    @classmethod
    def _known(cls, tag: str | None) -> str | None:
        if tag is not None:
            resolve(tag)
        return tag

    @field_validator("languages")
    @classmethod
    def _all_known(cls, tags: tuple[str, ...] | dict[str, str] | None) -> tuple[str, ...] | dict[str, str] | None:
        meant = [*tags.values()] if isinstance(tags, dict) else [*(tags or ())]
        codes = [resolve(tag).code for tag in meant]
        for tag, code in zip(meant, codes, strict=True):
            if codes.count(code) > 1:
                raise ValueError(f"{tag!r} is {code}, which is listed twice")
        return tags

    @field_validator("kind")
    @classmethod
    def _known_kind(cls, kind: str | None) -> str | None:
        if kind is not None:
            task_of(kind)
        return kind

    @model_validator(mode="after")
    def _one_way_of_naming(self) -> Self:
        if (self.language is None) == (self.languages is None):
            raise ValueError("say `language` (one) or `languages` (several), one of the two")
        return self

    def tags(self) -> dict[str, str]:
        """What files call each language, and its code."""
        if self.language is not None:
            return {self.language: resolve(self.language).code}
        languages = self.languages or ()
        meant = languages if isinstance(languages, dict) else dict(zip(languages, languages, strict=True))
        return {tag: resolve(language).code for tag, language in meant.items()}

    def stated(self) -> dict[str, Any]:
        """The columns that are said, by role; a position as the name that a file without a header gives it."""
        return {role: str(name) if isinstance(name, int) else name for role, name in self.columns.items()}

    def named(self) -> tuple[str, ...] | dict[str, str] | None:
        """The labels: those there may be, or what each value means."""
        if isinstance(self.labels, dict):
            return {str(value): name for value, name in self.labels.items()}
        return self.labels

    def splits(self) -> dict[Split, str]:
        """What the block says of each split it has."""
        said = {split: getattr(self, split) for split in SPLITS}
        return {split: value for split, value in said.items() if value is not None}


class FileBlock(Common):
    """A corpus in files of this folder."""

    name: Name
    format: Name
    task: Name | None = None
    quoted: StrictBool | None = None
    header: StrictBool = True
    delimiter: Annotated[StrictStr, Field(min_length=1, max_length=1)] | None = None
    text: Name | None = None
    whole: Name | None = Field(default=None, alias=WHOLE)
    split: dict[Split, Annotated[float, Field(gt=0, lt=1)]] | None = None

    @field_validator("format")
    @classmethod
    def _known_format(cls, format_: str) -> str:
        if format_ not in (*FORMATS, TEXT_FORMAT):
            raise ValueError(refusal("format", format_, [*FORMATS, TEXT_FORMAT]))
        return format_

    @field_validator("split")
    @classmethod
    def _makes_a_whole(cls, split: dict[Split, float] | None) -> dict[Split, float] | None:
        if split is not None and abs(sum(split.values()) - 1) > 1e-6:
            raise ValueError(f"shares add up to {sum(split.values()):g}, not to 1")
        return split

    @model_validator(mode="after")
    def _keys_fit_the_format(self) -> Self:
        allowed = _COMMON | {"text"} if self.format == TEXT_FORMAT else _LABELLED | FORMATS[self.format].keys
        for key in sorted({WHOLE if name == "whole" else name for name in self.model_fields_set} - allowed):
            raise ValueError(
                f"`{key}` means nothing for the format {self.format}, which takes {', '.join(sorted(allowed))}"
            )
        _need_placeholder(self, self.text, self.whole, *self.splits().values())
        if self.format == TEXT_FORMAT:
            if self.text is None:
                raise ValueError("raw text needs `text`: the file, a sentence a line")
            return self
        if (self.whole is None) != (self.split is None):
            raise ValueError(f"`{WHOLE}` (a file of all items) and `split` (shares of train, dev, test) go together")
        if not self.splits() and self.whole is None:
            raise ValueError(f"no file: say at least one of {', '.join(SPLITS)}, or `{WHOLE}` and `split`")
        if self.splits() and self.whole is not None:
            raise ValueError(f"say either `{WHOLE}` and `split` or a file a split, not both")
        if self.task is None and self.format != "conllu":
            raise ValueError("`task` is missing: the name that jobs call the task by, such as pos, ner or topic")
        kind = self.kind or FORMATS[self.format].kind
        if kind is None:
            raise ValueError(f"`kind` is missing: what a file in {self.format} carries, one of {', '.join(kinds())}")
        _roles_fit(self, kind, {"token", "tag"} if self.format == "conll" else set())
        return self


class HubBlock(Common):
    """A data set of a hub at a pinned revision, or a folder in its layout; splits under the data set's own names."""

    id: Name | None = None
    revision: Annotated[StrictStr, Field(pattern=r"^[0-9a-f]{40}$")] | None = None
    folder: Name | None = None
    config: Name | None = None
    task: Name
    kind: Name

    @model_validator(mode="after")
    def _pinned(self) -> Self:
        if (self.id is None) == (self.folder is None):
            raise ValueError("say `id` (a data set of the hub) or `folder` (a copy in its layout), one of the two")
        if self.id is not None and self.revision is None:
            raise ValueError(
                "`revision` is missing: the 40-digit commit of the data set, so that its items never change"
            )
        if not self.splits():
            raise ValueError(f"no split: say at least one of {', '.join(SPLITS)}, each as the data set calls it")
        if PLACEHOLDER not in (self.folder or ""):
            _need_placeholder(self, self.config or "")
        _roles_fit(self, self.kind, set())
        return self


class Declaration(_Block):
    """A whole ``corpora.yaml``."""

    corpora: tuple[FileBlock, ...] = ()
    hub: tuple[HubBlock, ...] = ()

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not self.corpora and not self.hub:
            raise ValueError("no corpora: list at least one under `corpora` or `hub`")
        return self


def _roles_fit(block: Common, kind: str, more: set[str]) -> None:
    roles = {*task_of(kind).columns, *more}
    for role in block.columns:
        if role not in roles:
            raise ValueError(f"`columns`: {refusal('role', role, roles)}")


def _need_placeholder(block: Common, *names: str | None) -> None:
    if block.languages is None:
        return
    for name in names:
        if name is not None and PLACEHOLDER not in name:
            raise ValueError(f"{name!r} would be the same for every one of `languages`; put {PLACEHOLDER} into it")
