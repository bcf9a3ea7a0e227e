"""Names of languages: who bears one, in any script and order of words, and which come near to what somebody typed."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from importlib.resources import files

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

SURE = ("name", "autonym", "registry")
"""Kinds of names that a language bears whatever else is called so; the others give way to families and to namesakes."""
KINDS = (*SURE, "Glottolog", "WALS")
"""Where names come from: of two bearers the one that has it from the earlier."""
HEAD, FAMILY, ASIDE = "head", "family", "aside"
"""No names of a language: a part of one's name, a family's name or code, and what stands in brackets beside names."""
_LETTERS = str.maketrans(
    {
        "ø": "o",
        "ł": "l",
        "đ": "d",
        "ð": "d",
        "ı": "i",
        "æ": "ae",
        "œ": "oe",
        "ħ": "h",
        "ŋ": "n",
        "þ": "th",
        "ɓ": "b",
        "ɗ": "d",
        "ƙ": "k",
        "ƴ": "y",
        "ɛ": "e",
        "ɔ": "o",
        "ə": "e",
        "ŧ": "t",
        "ɨ": "i",
        "ʉ": "u",
        **dict.fromkeys("'’‘ʼʻʾʿ`´ˈ", ""),
    }
)
"""Letters that decompose into no plain one, and the apostrophes that everybody writes in a way of their own."""
_ABOVE_AND_BELOW = 200
"""Combining classes from here on are accents; vowel signs and viramas, which are letters, have lower ones."""
_BETWEEN_WORDS = re.compile(r"[\W_]+")
_INVERTED = re.compile(r"([^,()]+), ([^,()]+)")
_PARENTHESISED = re.compile(r"([^()]+?)\s*\(([^()]+)\)")
_ASIDE = re.compile(r"modern|standard|macrolanguage|individual language|language|.*\d.*|traditional|simplified")
"""What stands in brackets beside a language's name and is no part of it, as scripts and regions are."""
_OF_LANGUAGES = (*KINDS, HEAD)
_SPELT_AS = (
    *(("tsch", "c"), ("tch", "c"), ("sch", "s"), ("ch", "c"), ("qu", "k"), ("q", "k"), ("ck", "k"), ("kh", "k")),
    *(("sh", "s"), ("ph", "f"), ("gh", "g"), ("hua", "wa"), ("hue", "we"), ("gua", "wa"), ("ou", "u"), ("oo", "u")),
    *(("ua", "wa"), ("ue", "we"), ("ee", "i"), ("y", "i"), ("v", "w"), ("x", "s"), ("z", "s"), ("dj", "j")),
)
_GRAM, _CLOSE, _COMPARED = 2, 0.6, 60


@dataclass(frozen=True, slots=True)
class Forms:
    """Other ways to write a name: ``whole`` say the same, ``parts`` less, so that others may be called so."""

    whole: tuple[str, ...]
    parts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Bearer:
    """Who bears a name: an ISO 639-3 code, or a family's glottocode, empty where it is none of Glottolog's."""

    code: str
    kind: str
    written: str
    exact: bool = False
    """Whether it is what was asked for, letter by letter."""


def plain(name: str) -> str:
    """A name without accents, case, apostrophes and punctuation: ``Gĩkũyũ`` and ``gikuyu`` are one."""
    decomposed = unicodedata.normalize("NFKD", name.casefold().translate(_LETTERS))
    letters = "".join(one for one in decomposed if unicodedata.combining(one) < _ABOVE_AND_BELOW)
    return _BETWEEN_WORDS.sub(" ", unicodedata.normalize("NFC", letters).translate(_LETTERS)).strip()


def forms(name: str, asides: Collection[str]) -> Forms:
    """``Sorbian, Lower`` is ``Lower Sorbian``, ``Hindi (Devanagari)`` is ``Hindi``, ``Arapesh (Abu)`` an ``Arapesh``.

    ``asides`` are the plain names of scripts and regions, which may stand in brackets beside any language's.
    """
    whole: list[str] = []
    parts: list[str] = []
    if bracketed := _PARENTHESISED.fullmatch(name.strip()):
        base, aside = bracketed.groups()
        if _ASIDE.fullmatch(aside.casefold()) or plain(aside) in asides:
            inner = forms(base, asides)
            return Forms((base, *inner.whole), inner.parts)
        whole.append(f"{aside} {base}")
        parts.append(base)
    elif inverted := _INVERTED.fullmatch(name.strip()):
        head, rest = inverted.groups()
        whole.append(f"{rest} {head}")
        parts.append(head)
    return Forms(tuple(whole), tuple(parts))


def bearers(name: str) -> tuple[Bearer, ...]:
    """All that a name may be of, as it stands or in another form, the surest kind first; families among them.

    Where somebody is called so letter by letter, those that differ in accents are not.
    """
    for form in (name, *forms(name, _asides()).whole, re.sub(r"\s+languages?$", "", name, flags=re.IGNORECASE)):
        if found := [one for one in _called(plain(form)) if one.kind != ASIDE]:
            written = form.casefold().strip()
            exact = [replace(one, exact=True) for one in found if one.written == written and one.kind in SURE]
            return tuple(exact or found)
    return ()


def language_names() -> Iterable[tuple[str, str, str]]:
    """Every name of a language: plain, casefolded as it is written, and whose it is (ISO 639-3)."""
    for name, bearing in _index().items():
        for one in bearing:
            if one.kind in KINDS:
                yield name, one.written, one.code


def near(name: str, speakers: Mapping[str, int]) -> list[str]:
    """Codes that ``name`` may have been meant for, the likeliest first.

    First those whose name has all its words, then those that have them in another spelling, both by number of speakers;
    then those spelt alike.
    """
    typed = plain(name)
    if not typed:
        return []
    words = [by_speakers(_having(typed, spelt), speakers) for spelt in (False, True)]
    return list(dict.fromkeys([*words[0], *words[1], *_alike(typed)]))


def by_speakers(codes: Iterable[str], speakers: Mapping[str, int]) -> list[str]:
    """Codes by number of speakers, most first; those of unknown number last."""
    return sorted(set(codes), key=lambda code: (-speakers.get(code, 0), code))


def _having(typed: str, spelt: bool) -> set[str]:
    """The codes of which a name has all words of a plain one; ``spelt``: as they may be spelt otherwise."""
    words = frozenset((_spelling(typed) if spelt else typed).split())
    names = _by_word(spelt).get(max(words, key=len), ())
    of_words = (key for key in names if words <= frozenset((_spelling(key) if spelt else key).split()))
    return {one.code for key in of_words for one in _index()[key] if one.kind in _OF_LANGUAGES}


def _alike(typed: str) -> list[str]:
    """The codes of names spelt like a plain one, by similarity (Ratcliff & Obershelp 1988)."""
    grams, by_gram = _grams(typed), _by_gram()
    shared = Counter(key for gram in grams for key in by_gram.get(gram, ()))
    likely = sorted(shared, key=lambda key: (-2 * shared[key] / (len(grams) + len(_grams(key))), key))[:_COMPARED]
    compared = [(difflib.SequenceMatcher(a=key, b=typed).ratio(), key) for key in likely]
    close = sorted((-ratio, key) for ratio, key in compared if ratio >= _CLOSE)
    return [one.code for _, key in close for one in _index()[key] if one.kind in _OF_LANGUAGES]


def _grams(name: str) -> frozenset[str]:
    marked = f"^{name}$"
    return frozenset(marked[at : at + _GRAM] for at in range(len(marked) - _GRAM + 1))


def _spelling(name: str) -> str:
    """A plain name with one letter for what orthographies write in several ways: ``quichua`` and ``kichwa`` are one."""
    for written, one in _SPELT_AS:
        name = name.replace(written, one)
    return re.sub(r"(.)\1", r"\1", name)


@cache
def _table() -> pa.Table:
    return pq.read_table(str(files("matrices") / "data" / "names.parquet"))


@lru_cache(maxsize=4096)
def _called(name: str) -> Sequence[Bearer]:
    """Who bears a plain name. One name is looked up in the table: the index of all takes a tenth of a first answer."""
    table = _table()
    return list(_bearers(table.filter(pc.equal(table["name"], name))))


def _bearers(rows: pa.Table) -> Iterable[Bearer]:
    for name, code, kind, written in zip(*(column.to_pylist() for column in rows.columns), strict=True):
        yield Bearer(code, kind, written or name)


@cache
def _index() -> Mapping[str, Sequence[Bearer]]:
    found: defaultdict[str, list[Bearer]] = defaultdict(list)
    for name, bearer in zip(_table()["name"].to_pylist(), _bearers(_table()), strict=True):
        found[name].append(bearer)
    return dict(found)


@cache
def _by_word(spelt: bool) -> Mapping[str, Sequence[str]]:
    found: defaultdict[str, list[str]] = defaultdict(list)
    for name in _index():
        for word in (_spelling(name) if spelt else name).split():
            found[word].append(name)
    return dict(found)


@cache
def _by_gram() -> Mapping[str, Sequence[str]]:
    found: defaultdict[str, list[str]] = defaultdict(list)
    for name, bearing in _index().items():
        if any(one.kind in _OF_LANGUAGES for one in bearing):
            for gram in _grams(name):
                found[gram].append(name)
    return dict(found)


@cache
def _asides() -> frozenset[str]:
    """The names of scripts and regions, plain."""
    table = _table()
    return frozenset(table["name"].filter(pc.equal(table["kind"], ASIDE)).to_pylist())
