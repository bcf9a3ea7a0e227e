"""What can be set about the service: each by an environment variable SPRACHBUND_<NAME>."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Literal, get_args

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

Scope = Literal["read", "download"]
SCOPES: tuple[Scope, ...] = get_args(Scope)


class Settings(BaseSettings):
    """Data only: nothing is opened or checked against the outside here."""

    model_config = SettingsConfigDict(env_prefix="SPRACHBUND_", frozen=True)

    store: str | None = Field(default=None, description="Folder, s3:// or gs:// of a store; unset: the box.")
    zoo: str | None = Field(default=None, description="Folder of trained adapters that may be downloaded; unset: none.")
    refresh_seconds: float = Field(
        default=5.0, ge=0, description="Look for a newer version this often; 0: before every answer, which waits."
    )
    prepare: bool = Field(default=True, description="Fit models in the background when a version is new.")
    cache_seconds: int = Field(default=60, ge=0, description="How long clients may keep an answer.")
    cache_megabytes: int = Field(default=128, ge=0, description="Whole answers kept in memory, by version and address.")
    download_folder: Path = Field(
        default=Path(tempfile.gettempdir()) / "sprachbund-downloads",
        description="Folder where files are kept once they were asked for, and outcomes that are mapped into memory.",
    )
    download_files: int = Field(default=64, ge=1, description="How many files are kept; the oldest go.")
    answers: int = Field(default=1024, ge=0, description="How many recommendations are kept in memory.")
    models: int = Field(default=16, ge=1, description="How many models that predict are kept: one a matrix asked for.")
    measures: int = Field(default=64, ge=1, description="How many tables of measures are kept in memory.")
    page_size: int = Field(default=1000, ge=1, le=10_000, description="Cells in a page where the caller does not say.")
    keys: Path | None = Field(default=None, description="File of API keys, as `sprachbund keys` makes it; unset: none.")
    anonymous: str = Field(
        default="read,download", description="What may be done without a key: read, download, both, or nothing."
    )
    private: str = Field(
        default="", description="Matrices that are seen with a key alone: names or patterns (pos-*), with commas."
    )
    cors: str = Field(default="", description="Origins whose pages may ask, with commas; * for any.")
    root_path: str = Field(default="", description="Prefix that a proxy before the service takes off, as /languages.")
    query_bytes: int = Field(default=8192, ge=256, description="Longest query of an address; 414 above.")
    body_bytes: int = Field(default=65_536, ge=256, description="Longest body of a request; 413 above.")
    patience_seconds: float = Field(
        default=30.0, gt=0, description="How long a client may take to send a request, or to take a part of an answer."
    )

    @field_validator("anonymous")
    @classmethod
    def _scopes(cls, given: str) -> str:
        unknown = sorted(set(listed(given)) - set(SCOPES))
        if unknown:
            raise ValueError(f"there is no scope {', '.join(unknown)}; there is: {', '.join(SCOPES)}")
        return given


def listed(text: str) -> tuple[str, ...]:
    """The parts of a setting that has several, with commas."""
    return tuple(part.strip() for part in text.split(",") if part.strip())
