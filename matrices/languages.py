"""Languages by one code each: any tag, ISO code or English name in, ISO 639-3 out, with genealogy and script."""

from __future__ import annotations

import csv
import difflib
import re
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files

import langcodes
from langcodes.tag_parser import LanguageTagError
from language_data.population_data import LANGUAGE_SPEAKING_POPULATION

_MEMBERS = {
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
    "nob": "nor",
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
"""Corpora disagree on naming the standard variety or its macrolanguage: the variety folds into the macro code.

Varieties measured in their own right (``yue``, ``ary``, ``arq``, ``ind``, ``min``) stay. Filipino is Tagalog here, and
bare Norwegian is Bokmål, as in the Unicode CLDR.
"""
_FOLD = {member: macro for macro, members in _MEMBERS.items() for member in members.split()}
_NOT_A_LANGUAGE = {"und", "mul", "mis", "zxx"}
_TAG = re.compile(r"[a-z]{2,3}(?:[-_][a-z0-9]{1,8})*|i-[a-z]+", re.IGNORECASE)
_SHORTEST_NAME = 3
"""Two letters are most likely a country's (``ua``, ``ir``), and hardly the name of a language that is called so."""
_PRIVATE_USE = re.compile(r"q[a-t][a-z]")


@dataclass(frozen=True, slots=True)
class Language:
    """A language: its ISO 639-3 code, in the project's normal form, and its English name."""

    code: str
    name: str


@dataclass(frozen=True, slots=True)
class Genealogy:
    """Family and genus as the World Atlas of Language Structures classifies, and the main script (ISO 15924)."""

    family: str
    genus: str
    script: str


class UnknownLanguageError(ValueError):
    """No language by this tag, code or name. ``nearest`` are (code, name) pairs that look like it, best first."""

    def __init__(self, given: str, nearest: tuple[tuple[str, str], ...]) -> None:
        super().__init__(given, nearest)
        self.given, self.nearest = given, nearest

    def __str__(self) -> str:
        near = ", ".join(f"{code} ({name})" for code, name in self.nearest)
        hint = f"nearest known: {near}" if near else "give an ISO 639 code (yor), a tag (yo-NG) or an English name"
        return f"unknown language {self.given!r}; {hint}"


@lru_cache(maxsize=4096)
def resolve(tag: str) -> Language:
    """The language of a BCP-47 tag, an ISO 639-1, 639-2 or 639-3 code, or an English name.

    A code is tried before a name; two letters are a code alone, and the name of a family is no language's. Script,
    region and variant are dropped (``yo-NG``, ``eng_Latn``); the standard variety of a macrolanguage gives the macro
    code (``arb`` -> ``ara``, ``cmn`` -> ``zho``); private-use codes (``qaa`` to ``qtz``) are themselves, for generated
    languages. Raises ``UnknownLanguageError``.
    """
    given = tag.strip()
    code = (_from_tag(given) or _from_name(given)) if given.isprintable() else None
    if code is None:
        raise UnknownLanguageError(tag, _nearest(given))
    return Language(code, _name(code))


def private(code: str) -> bool:
    """Whether a code is one that ISO 639 leaves to private use (``qaa`` to ``qtz``), and so may mean any language."""
    return _PRIVATE_USE.fullmatch(code) is not None


def genealogy(code: str) -> Genealogy | None:
    """Family, genus and main script of a code in normal form; None where it is not in the table that ships.

    The table, ``data/languages.csv``, follows the classification of Dryer & Haspelmath (eds.), The World Atlas of
    Language Structures Online: creoles and pidgins are a genus of the family ``other``, as is constructed Esperanto
    (which WALS leaves out), and Turkic and Mongolic are genera of ``Altaic``. Other languages that it leaves out (most
    of them ancient) have the genus of those they share a group with in Glottolog. The script is the one most data has.
    """
    row = _table().get(code)
    return None if row is None else Genealogy(row["family"], row["genus"], row["script"])


def kinship(one: str, other: str) -> int:
    """2 of languages of one genus, 1 of one family, else 0; no creole is related, nor a language in no table."""
    a, b = genealogy(one), genealogy(other)
    if a is None or b is None or a.family != b.family or a.family == "other":
        return 0
    return 2 if a.genus == b.genus else 1


def _from_tag(given: str) -> str | None:
    if not _TAG.fullmatch(given):
        return None
    try:
        language = langcodes.Language.get(given)
        code = language.to_alpha3()
    except (LanguageTagError, LookupError):
        return None
    if not language.is_valid() or code in _NOT_A_LANGUAGE:
        return None
    return _FOLD.get(code, code)


def _from_name(given: str) -> str | None:
    if (code := _codes_by_name().get(given.casefold())) is not None:
        return code
    if len(given) < _SHORTEST_NAME or given.casefold() in _groups():
        return None
    try:
        return _from_tag(langcodes.find(given, language="en").to_tag())
    except LookupError:
        return None


def _name(code: str) -> str:
    if (row := _table().get(code)) is not None:
        return row["name"]
    return code if private(code) else langcodes.Language.get(code).display_name("en")


def _nearest(given: str) -> tuple[tuple[str, str], ...]:
    names = _known_names()
    close = difflib.get_close_matches(given.casefold(), names, n=5, cutoff=0.6)
    codes = list(dict.fromkeys(names[name] for name in close))[:3]
    return tuple((code, _name(code)) for code in codes)


@cache
def _table() -> dict[str, dict[str, str]]:
    text = (files("matrices") / "data" / "languages.csv").read_text(encoding="utf-8")
    return {row["code"]: row for row in csv.DictReader(text.splitlines())}


@cache
def _codes_by_name() -> dict[str, str]:
    return {row["name"].casefold(): code for code, row in _table().items()}


@cache
def _groups() -> frozenset[str]:
    """The names of families and genera, casefolded."""
    return frozenset(row[rank].casefold() for row in _table().values() for rank in ("family", "genus"))


@cache
def _known_names() -> dict[str, str]:
    """Casefolded code and name -> code: of the table's languages first, then of all with recorded speakers."""
    spoken = (_from_tag(tag) for tag in LANGUAGE_SPEAKING_POPULATION if "-" not in tag)
    codes = list(dict.fromkeys([*_table(), *(code for code in spoken if code)]))
    names = {code: code for code in codes}
    for code in codes:
        names.setdefault(_name(code).casefold(), code)
    return names
