"""What to pretrain, as one YAML file: every knob with its default."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from adapters_zoo.recipes import Positive, Rate
from workers.config import read_config
from workers.job_settings import EncoderReference, LanguageCode

Share = Annotated[float, Field(ge=0, le=1)]
_OF_A_NEW_ENCODER = (
    *("vocabulary", "layers", "hidden", "heads", "max_length", "pair_length"),
    *("embeddings", "translation", "contrast"),
)


class PretrainJob(BaseModel):
    """A pretraining job. Relative paths are looked up from the job file's folder."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    out: Path = Field(description="folder the encoder is written to, in transformers' layout")
    corpora: Path
    languages: Annotated[tuple[LanguageCode, ...], Field(min_length=1)] | None = Field(
        None, description="what the encoder sees; every raw text by default"
    )
    start: EncoderReference | None = Field(
        None, description="an encoder to go on from, with its tokenizer; by default one is made from nothing"
    )
    train: Literal["all", "head"] = Field(
        "all", description="with `start`: every weight, or the masked-language-modelling head alone, drawn anew"
    )
    vocabulary: Positive = Field(8000, description="pieces of the byte-pair encoding")
    layers: Positive = 4
    hidden: Positive = 256
    heads: Positive = 4
    max_length: Positive = Field(256, description="tokens the encoder can take")
    steps: Positive = 3000
    tokens: Positive = Field(4096, description="tokens in a step's batch")
    length: Positive = Field(64, description="tokens in a packed sequence")
    pair_length: Positive = Field(48, description="tokens kept of each half of a translation pair")
    windows: Literal["sentence", "anywhere"] = Field(
        "sentence", description="packed sequences begin where a sentence does, or at any token"
    )
    masked: Annotated[float, Field(gt=0, lt=1)] = Field(0.2, description="share of positions to predict")
    learning_rate: Rate = Field(2e-3, description="peak; linear warm-up over 100 steps, then linear decay to 5%")
    smoothing: Share = Field(0.5, description="languages are drawn by tokens to this power; 0 is uniform")
    embeddings: Literal["random", "aligned"] = Field(
        "random", description="aligned: token embeddings start from parallel text, so that translations start close"
    )
    translation: Share = Field(0, description="share of steps that predict masked tokens of a pair of translations")
    contrast: Share = Field(
        0, description="share of steps that also tell a sentence's translation from other sentences"
    )
    seed: Annotated[int, Field(ge=0)] = 0
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    checkpoint_every: Positive = Field(250, description="steps between checkpoints, from which a run resumes")

    @field_validator("languages")
    @classmethod
    def _sorted(cls, codes: tuple[str, ...] | None) -> tuple[str, ...] | None:
        return tuple(sorted(set(codes))) if codes is not None else None

    @model_validator(mode="after")
    def _goes_with_start(self) -> PretrainJob:
        given = [name for name in _OF_A_NEW_ENCODER if name in self.model_fields_set]
        if self.start is not None and given:
            raise ValueError(f"`{given[0]}` is that of the encoder at `start`, or belongs to one made from nothing")
        if self.start is None and self.train == "head":
            raise ValueError("`train`: head goes with `start` only")
        return self

    @model_validator(mode="after")
    def _consistent(self) -> PretrainJob:
        if self.hidden % self.heads:
            raise ValueError(f"`heads`: {self.heads} does not divide `hidden`: {self.hidden}")
        if self.translation + self.contrast > 1:
            raise ValueError("`translation` and `contrast` are shares of the same steps; together at most 1")
        if self.start is None and max(self.length, 2 * self.pair_length) > self.max_length:
            raise ValueError("`length` and twice `pair_length` must fit `max_length`")
        return self

    @property
    def needs_parallel_text(self) -> bool:
        """Whether any part of the recipe reads translations."""
        return self.embeddings == "aligned" or self.translation + self.contrast > 0


def load_pretrain_job(path: Path) -> PretrainJob:
    """Read a job file. Raises ``ConfigError`` naming file, line and the nearest valid key."""
    job = read_config(path, PretrainJob)
    return job.model_copy(update={"out": path.parent / job.out, "corpora": path.parent / job.corpora})
