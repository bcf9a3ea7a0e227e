"""Which languages an encoder was pretrained on: of well-known ones by name, of others as a job or a card says."""

from __future__ import annotations

import csv
import re
from collections.abc import Collection, Mapping
from functools import cache
from importlib.resources import files

import pyarrow as pa

from matrices.cells import now
from matrices.languages import private
from matrices.languoids import parted
from matrices.side_tables import SideTable

ENCODERS = SideTable(
    "_encoders",
    pa.schema(
        [
            pa.field("encoder", pa.string(), nullable=False),
            pa.field("languages", pa.list_(pa.string()), nullable=False),
            pa.field("created_at", pa.timestamp("us", tz="UTC"), nullable=False),
        ]
    ),
)
"""The languages of the encoders of a store's cells; ``encoder`` as in these, and so with its digest."""

_SEPARATORS = re.compile(r"[^a-z0-9]")


class UnknownEncoderError(LookupError):
    """An encoder of which this release does not know what it was pretrained on; the message names those it knows."""

    def __init__(self, given: str) -> None:
        self.given, self.known = given, tuple(names.split()[0] for names in _lists())
        super().__init__(f"what {given!r} was pretrained on is not known; known are: {', '.join(self.known)}")


def pretrained_on(encoder: str) -> frozenset[str] | None:
    """The languages (ISO 639-3) that a well-known encoder saw in pretraining; None where it is not known.

    It goes by its name, with or without whoever published it, a revision or a digest: ``FacebookAI/xlm-roberta-base``,
    ``XLM-R``, ``bert-base-multilingual-cased``. The lists, ``data/encoders.csv``, are as their authors state them; a
    macrolanguage stands for its members measured apart (Norwegian for Nynorsk, Kurdish for Kurmanji).
    """
    return _by_name().get(_plain(encoder))


def known_encoder(encoder: str) -> frozenset[str]:
    """As ``pretrained_on``. Raises ``UnknownEncoderError``."""
    found = pretrained_on(encoder)
    if found is None:
        raise UnknownEncoderError(encoder)
    return found


def saw(pretrained: Collection[str] | None, language: str) -> bool | None:
    """Whether an encoder that was ``pretrained`` on these languages saw one; None where they are not known.

    Nor is it known of a language under a private code that they lack: it may be among them under its own.
    """
    if pretrained is None or (private(language) and language not in pretrained):
        return None
    return parted(language).language in pretrained


def read_pretrained(store: str, options: Mapping[str, str]) -> dict[str, frozenset[str]]:
    """What was said of the encoders of a store's cells, by encoder; what was said last counts."""
    rows = ENCODERS.rows(store, options).to_pylist()
    return {row["encoder"]: frozenset(row["languages"]) for row in rows}


def write_pretrained(store: str, options: Mapping[str, str], encoder: str, languages: Collection[str]) -> None:
    """Keep the languages of an encoder, if that is not what is there already."""
    if read_pretrained(store, options).get(encoder) != frozenset(languages):
        row = {"encoder": encoder, "languages": sorted(set(languages)), "created_at": now()}
        ENCODERS.append(store, options, [row])


def _plain(encoder: str) -> str:
    """The name alone: ``FacebookAI/XLM_RoBERTa-base@e73636d4`` is ``xlmrobertabase``."""
    return _SEPARATORS.sub("", encoder.partition("@")[0].rpartition("/")[2].casefold())


@cache
def _by_name() -> dict[str, frozenset[str]]:
    return {_plain(name): languages for names, languages in _lists().items() for name in names.split()}


@cache
def _lists() -> dict[str, frozenset[str]]:
    text = (files("matrices") / "data" / "encoders.csv").read_text(encoding="utf-8")
    return {row["names"]: frozenset(row["languages"].split()) for row in csv.DictReader(text.splitlines())}
