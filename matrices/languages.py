"""Languages by one code each: any tag, ISO code, glottocode or name in, ISO 639-3 out, with genealogy and script."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import lru_cache

import langcodes
from langcodes.tag_parser import LanguageTagError

from matrices.cells import SEPARATOR
from matrices.languoids import FOLDED, STANDARD_OF, languoid, parted, speakers, within
from matrices.names import FAMILY, HEAD, SURE, Bearer, bearers, by_speakers, near

_TAG = re.compile(r"[a-z]{2,3}(?:[-_][a-z0-9]{1,8})*|i-[a-z]+", re.IGNORECASE)
_LONGEST_CODE = 3
"""What is longer is a code with more, of a script or a region that there is."""
_TWO_LETTERS = re.compile(r"[a-z]{2}", re.IGNORECASE)
"""They are most likely a country's (``ua``, ``ir``), and hardly the name of a language that is called so."""
_PRIVATE_USE = re.compile(r"q[a-t][a-z]")
_WIKIPEDIA = {
    "bat-smg": "sgs",
    "be-tarask": "bel",
    "be-x-old": "bel",
    "cbk-zam": "cbk",
    "fiu-vro": "vro",
    "map-bms": "jav",
    "nds-nl": "nds",
    "roa-rup": "rup",
    "roa-tara": "nap",
    "zh-classical": "lzh",
    "zh-min-nan": "nan",
    "zh-yue": "yue",
    "zh-wuu": "wuu",
}
"""Codes of editions of Wikipedia, and of corpora made of them, that are no tags or are those of collections."""
_FEW, _NEAR = 2, 5
"""So many are shown; where it is known which are meant, and these are no fewer than a few, none is guessed besides."""
_MANY = 1_000_000
"""Of two members with so many speakers each beside its usual one, a macrolanguage's name may mean either."""


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
    script: str | None


class UnknownLanguageError(ValueError):
    """No one language by this tag, code or name. ``nearest`` are (code, name) pairs it may be meant for, best first.

    ``because`` says what it is instead, where that is known: the name of a family, or of several languages.
    """

    def __init__(self, given: str, nearest: tuple[tuple[str, str], ...], because: str = "") -> None:
        super().__init__(given, nearest, because)
        self.given, self.nearest, self.because = given, nearest, because

    def __str__(self) -> str:
        near = ", ".join(f"{code} ({name})" for code, name in self.nearest)
        hint = f"nearest known: {near}" if near else "give an ISO 639 code (yor), a tag (yo-NG) or an English name"
        if self.because:
            return f"{self.given!r} is {self.because}, not one language; name one{f': {near}' if near else ''}"
        return f"unknown language {self.given!r}; {hint}"


@lru_cache(maxsize=4096)
def resolve(tag: str) -> Language:
    """The language of a BCP-47 tag, an ISO 639-1, 639-2 or 639-3 code, a glottocode, or a name.

    Names are English, or a language's own in any script, with or without accents, also inverted (``Sorbian, Lower``)
    or with a script or region in brackets. A code is tried before a name; two letters are a code alone. Codes and names
    of families and collections are no language's, nor is a name that several bear, or that of a macrolanguage of which
    several members are spoken by many. Script, region and variant are dropped (``yo-NG``, ``eng_Latn``); the standard
    variety of a macrolanguage gives the macro code (``arb`` -> ``ara``, ``cmn`` -> ``zho``); private-use codes (``qaa``
    to ``qtz``) are themselves, for generated languages. Raises ``UnknownLanguageError``.
    """
    given = tag.strip()
    if not given.isprintable():
        raise UnknownLanguageError(tag, ())
    if (code := _from_tag(given)) is not None:
        return Language(code, name_of(code))
    found = () if _TWO_LETTERS.fullmatch(given) else bearers(given)
    codes = _meant(found)
    if len(codes) == 1 and not (several := _members_apart(codes[0])):
        return Language(codes[0], name_of(codes[0]))
    because = ""
    if any(one.kind == FAMILY for one in found):
        because = "a family or group of languages"
        codes = by_speakers([*_of_family(found), *(one.code for one in found if one.kind != FAMILY)], speakers())
    elif len(codes) == 1:
        because, codes = "a macrolanguage", list(several)
    elif codes:
        because, codes = "what several languages are called", by_speakers(codes, speakers())
    guessed = [] if because and len(codes) >= _FEW else [*_of_region(given), *near(given, speakers())]
    nearest = dict.fromkeys(FOLDED.get(code, code) for code in [*codes, *guessed])
    raise UnknownLanguageError(tag, tuple((code, name_of(code)) for code in [*nearest][:_NEAR]), because)


def among(given: str, known: Collection[str]) -> str:
    """The code of a tag, code or name, where some languages are ``known``: a code of theirs stands as it is.

    A macrolanguage, or the standard variety of one, is the one member that is known where it is not known itself, and a
    language the one script it is known in. Raises ``UnknownLanguageError``, also where several are known: it names
    those.
    """
    if given in known:
        return given
    try:
        code = resolve(given).code
    except UnknownLanguageError as error:
        there = [pair for pair in error.nearest if pair[0] in known]
        if error.because != "a macrolanguage" or not there:
            raise
        if len(there) == 1:
            return there[0][0]
        raise UnknownLanguageError(given, tuple(there), error.because) from error
    scripts = [one for one in sorted(known) if one != code and parted(one).language == code]
    members = [*scripts, *(member for member in [*_folded_into(code), *members_of(code)] if member in known)]
    if code in known or not members:
        return code
    if len(set(members)) > 1:
        named = tuple((member, name_of(member)) for member in dict.fromkeys(members))
        raise UnknownLanguageError(given, named, "measured in several scripts" if scripts else "a macrolanguage")
    return members[0]


def script_in(tag: str) -> str | None:
    """The script (ISO 15924) that a tag names, as ``Deva`` in ``kas_Deva``; None of what names none, or is no tag."""
    if not _TAG.fullmatch(tag.strip()):
        return None
    try:
        return langcodes.Language.get(tag.strip(), normalize=False).script
    except LanguageTagError:
        return None


def private(code: str) -> bool:
    """Whether a code is one that ISO 639 leaves to private use (``qaa`` to ``qtz``), and so may mean any language."""
    return _PRIVATE_USE.fullmatch(code) is not None


def name_of(code: str) -> str:
    """The English name of a code in normal form, the code itself where it has none; of a set the names of its codes."""
    if SEPARATOR in code:
        return f" {SEPARATOR} ".join(map(name_of, code.split(SEPARATOR)))
    known, (_, script) = languoid(code), parted(code)
    if known is None:
        return code
    return f"{known.name} ({script})" if script else known.name


def members_of(code: str) -> tuple[str, ...]:
    """The members of a macrolanguage (ISO 639-3) in normal form, the most spoken first; none of any other language."""
    known = languoid(code)
    members = () if known is None else (FOLDED.get(member, member) for member in known.members)
    return tuple(by_speakers((member for member in members if member != code), speakers()))


@lru_cache(maxsize=16384)
def genealogy(code: str) -> Genealogy | None:
    """Family, genus and main script of a code in normal form; None where nothing is known of its kin.

    Family and genus are those of the World Atlas of Language Structures (Dryer & Haspelmath). A language that it lacks
    has those of the languages it shares a group with in Glottolog, where these agree, else the names of its groups
    there. Creoles, pidgins and sign languages are genera of the family ``other``, and Turkic and Mongolic of
    ``Altaic``. A macrolanguage stands where its standard, or most spoken, variety does.
    """
    known = languoid(code)
    if known is None or known.family is None or known.genus is None:
        return None
    return Genealogy(known.family, known.genus, known.script)


def kinship(one: str, other: str) -> int:
    """2 of languages of one genus, 1 of one family, else 0; no creole is related, nor a language that nobody knows."""
    a, b = genealogy(one), genealogy(other)
    if a is None or b is None or a.family != b.family or a.family == "other":
        return 0
    return 2 if a.genus == b.genus else 1


def _from_tag(given: str) -> str | None:
    """None of what is no tag, or that of a collection."""
    if (listed := _WIKIPEDIA.get(given.casefold().replace("_", "-"))) is not None:
        return FOLDED.get(listed, listed)
    if not _TAG.fullmatch(given):
        return None
    try:
        language = langcodes.Language.get(given)
        code = language.to_alpha3()
    except (LanguageTagError, LookupError):
        return None
    if len(given) > _LONGEST_CODE and not language.is_valid():
        return None
    code = FOLDED.get(code, code)
    return code if private(code) or languoid(code) is not None else None


def _meant(found: Sequence[Bearer]) -> list[str]:
    """The codes a name may be meant for: one where it is a language's beyond doubt.

    What somebody bears for sure, letter by letter or alone, gives way to nothing; other names do to families, and to
    languages of which they are a part of the name.
    """
    if not found:
        return []
    kind = found[0].kind
    if kind in SURE and (found[0].exact or all(one.kind in SURE for one in found)):
        bearing = [one for one in found if one.kind == kind]
    elif any(one.kind == FAMILY for one in found):
        return []
    else:
        bearing = list(found)
    codes = list(dict.fromkeys(FOLDED.get(one.code, one.code) for one in bearing))
    # What is only ever part of a name is no name, however few bear it.
    return codes if kind != HEAD or len(codes) > 1 else []


def _members_apart(code: str) -> tuple[str, ...]:
    """The members of a macrolanguage whose name may mean any of them; none where it has a standard variety."""
    if code in STANDARD_OF:
        return ()
    members = members_of(code)
    many = [member for member in members if speakers().get(member, 0) >= _MANY]
    return members if len(many) > 1 else ()


def _folded_into(code: str) -> list[str]:
    return [variety for variety, macro in FOLDED.items() if macro == code]


def _of_family(found: Sequence[Bearer]) -> list[str]:
    return [code for one in found if one.kind == FAMILY and one.code for code in within(one.code)]


def _of_region(given: str) -> list[str]:
    """The language most likely meant by the code of a country."""
    if not _TWO_LETTERS.fullmatch(given):
        return []
    likely = langcodes.Language.make(territory=given.upper()).maximize()
    code = None if likely.language in (None, "und") else _from_tag(likely.language)
    return [] if code is None or code == "eng" else [code]
