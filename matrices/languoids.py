"""The world's languages as Glottolog, WALS and CLDR describe them: the table that ships, read once.

``tools/build_languages.py`` makes it. Glottolog (Hammarström, Forkel, Haspelmath, Bank) and the World Atlas of Language
Structures Online (Dryer, Haspelmath) are licensed CC BY 4.0.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from importlib.resources import files
from typing import NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq


@dataclass(frozen=True, slots=True)
class Languoid:
    """A language, or a macrolanguage by its standard variety; None where nothing is known.

    ``lineage`` are the glottocodes of the groups above it, the widest first: none of an isolate. ``latitude`` and
    ``longitude`` in degrees; ``speakers`` as CLDR counts them; ``members`` of a macrolanguage are ISO 639-3 codes.
    """

    name: str
    glottocode: str | None
    family: str | None
    genus: str | None
    script: str | None
    latitude: float | None
    longitude: float | None
    speakers: int | None
    lineage: tuple[str, ...] | None
    members: tuple[str, ...]


class Parted(NamedTuple):
    """A code of a language in one script, which a table keeps apart from another: ``kas_Deva`` is ``kas`` in ``Deva``.

    ``script`` is None of the code of a language alone.
    """

    language: str
    script: str | None


def parted(code: str) -> Parted:
    """The language of a code, and the script if it names one."""
    language, _, script = code.partition("_")
    return Parted(language, script or None)


@cache
def languoid(code: str) -> Languoid | None:
    """A language by ISO 639-3 code, also in one script (``kas_Deva``); None of a code that no language has."""
    language, script = parted(code)
    at = _rows().get(language)
    if at is None:
        return None
    [row] = _table().slice(at, 1).to_pylist()
    del row["code"]
    row["script"] = script or row["script"]
    lineage = None if row["lineage"] is None else tuple(row["lineage"].split())
    return Languoid(**{**row, "lineage": lineage, "members": tuple(row["members"].split())})


@cache
def names() -> Mapping[str, str]:
    """The English name of every language, by code, in order of code."""
    named = zip(_table()["code"].to_pylist(), _table()["name"].to_pylist(), strict=True)
    return dict(sorted(named))


@cache
def speakers() -> Mapping[str, int]:
    """The number of speakers of every language of which CLDR counts them, by code."""
    counted = zip(_table()["code"].to_pylist(), _table()["speakers"].to_pylist(), strict=True)
    return {code: count for code, count in counted if count is not None}


def within(group: str) -> list[str]:
    """The codes of all languages of a group: one of Glottolog's by glottocode, or a family or genus of WALS by name."""
    return list(_groups().get(group, ()))


def databases() -> dict[str, str]:
    """The databases that answers rest on, and their versions; URIEL's where it is installed."""
    return dict(_databases())


@cache
def _databases() -> Mapping[str, str]:
    found: dict[str, str] = json.loads(_table().schema.metadata[b"databases"])
    try:
        return {**found, "URIEL": f"lang2vec {version('lang2vec')}"}
    except PackageNotFoundError:
        return found


@cache
def _table() -> pa.Table:
    return pq.read_table(str(files("matrices") / "data" / "languages.parquet"))


@cache
def _rows() -> Mapping[str, int]:
    return {code: at for at, code in enumerate(_table()["code"].to_pylist())}


@cache
def _groups() -> Mapping[str, Sequence[str]]:
    """The codes of all languages of every group, family and genus."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    described = zip(*(_table()[name].to_pylist() for name in ("code", "lineage", "family", "genus")), strict=True)
    for code, lineage, family, genus in described:
        for group in {family, genus, *(() if lineage is None else lineage.split())} - {None}:
            found[group].append(code)
    return found


_VARIETIES = {
    "ara": "arb",
    "aym": "ayr ayc",
    "aze": "azj",
    "est": "ekk",
    "fas": "pes prs",
    "lav": "lvs",
    "mlg": "plt",
    "mon": "khk",
    "msa": "zsm zlm",
    "nep": "npi",
    "nor": "nob",
    "ori": "ory",
    "orm": "gaz hae",
    "pus": "pbt pbu pst",
    "que": "quy quz",
    "sqi": "als aln",
    "swa": "swh",
    "tgl": "fil",
    "uzb": "uzn",
    "yid": "ydd",
    "zho": "cmn",
}
"""By macrolanguage the varieties that fold into it, the standard one first.

Varieties measured in their own right (``yue``, ``ary``, ``arq``, ``ind``, ``min``, ``nno``) stay. Filipino is Tagalog
here.
"""

FOLDED = {variety: macro for macro, varieties in _VARIETIES.items() for variety in varieties.split()}
"""The macrolanguage that a variety's code becomes."""
STANDARD_OF = {macro: varieties.split()[0] for macro, varieties in _VARIETIES.items() if macro != "tgl"}
"""The variety that a macrolanguage's code stands for."""


def place_of(code: str) -> tuple[float, float] | None:
    """Latitude and longitude in degrees, to a tenth; None where it is not known."""
    known = languoid(code)
    if known is None or known.latitude is None or known.longitude is None:
        return None
    return round(known.latitude, 1), round(known.longitude, 1)
