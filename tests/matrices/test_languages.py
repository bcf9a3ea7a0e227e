"""Languages: whatever a person writes gives one code, and what is unknown names its neighbours."""

import copy
import csv
import os
from collections import defaultdict
from importlib.resources import files
from pathlib import Path

import pytest

from matrices.languages import Genealogy, Language, UnknownLanguageError, genealogy, kinship, resolve
from matrices.likeness.typology import available, traits
from matrices.published import read_scores

SHARED = Path(os.environ.get("SPRACHBUND_SHARED", Path(__file__).parents[2] / ".." / "shared"))
COVERAGE = SHARED / "data" / "coverage.csv"
MATRICES = SHARED / "matrices"


@pytest.mark.parametrize("given", ["Yoruba", "yoruba", " yor ", "yo", "YO", "yor", "yo-NG", "yor_Latn"])
def test_tag_code_and_name_give_one_language(given: str) -> None:
    assert resolve(given) == Language("yor", "Yoruba")


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ("alb", "sqi"),  # bibliographic ISO 639-2
        ("iw", "heb"),  # withdrawn ISO 639-1
        ("eng_Latn", "eng"),
        ("zho-CN", "zho"),
        ("sr-Latn", "srp"),
        ("i-klingon", "tlh"),
        ("Swiss German", "gsw"),
        ("Farsi", "fas"),
        ("K'iche'", "quc"),
    ],
)
def test_accepts_the_other_standards_of_naming(given: str, code: str) -> None:
    assert resolve(given).code == code


@pytest.mark.parametrize(
    ("member", "macro"),
    [
        ("arb", "ara"),
        ("cmn", "zho"),
        ("ekk", "est"),
        ("zsm", "msa"),
        ("swh", "swa"),
        ("prs", "fas"),
        ("als", "sqi"),
        ("quz", "que"),
        ("fil", "tgl"),
    ],
)
def test_standard_variety_folds_into_the_macro_code(member: str, macro: str) -> None:
    assert resolve(member).code == macro


@pytest.mark.parametrize("code", ["yue", "ary", "arq", "ind", "min", "bjn", "kmr", "ckb", "twi", "nno", "bxr", "kpv"])
def test_variety_measured_in_its_own_right_stays(code: str) -> None:
    assert resolve(code).code == code


def test_bare_norwegian_is_bokmal() -> None:
    assert resolve("no") == resolve("nor") == resolve("Norwegian") == Language("nob", "Norwegian Bokmål")


def test_private_use_code_is_itself() -> None:
    assert resolve("qaa") == Language("qaa", "qaa")


@pytest.mark.parametrize("given", ["", " ", "und", "mul", "zxx", "xx", "x-foo", "Yorubba", "../etc", "eng;", "a" * 500])
def test_no_language_is_an_error_that_keeps_what_was_given(given: str) -> None:
    with pytest.raises(UnknownLanguageError) as caught:
        resolve(given)
    assert caught.value.given == given


def test_unknown_language_names_the_nearest() -> None:
    with pytest.raises(
        UnknownLanguageError, match=r"unknown language 'Yorubba'; nearest known: yor \(Yoruba\)"
    ) as caught:
        resolve("Yorubba")
    assert caught.value.nearest[0] == ("yor", "Yoruba")


def test_error_survives_the_way_between_processes() -> None:
    error = UnknownLanguageError("Yorubba", (("yor", "Yoruba"),))
    assert str(copy.copy(error)) == str(error) == "unknown language 'Yorubba'; nearest known: yor (Yoruba)"


def test_nothing_near_says_what_is_accepted() -> None:
    with pytest.raises(UnknownLanguageError, match="ISO 639 code") as caught:
        resolve("@@@@@@")
    assert caught.value.nearest == ()


def test_genealogy_gives_family_genus_and_script() -> None:
    assert genealogy("yor") == Genealogy("Niger-Congo", "Defoid", "Latn")
    assert genealogy("hin") == Genealogy("Indo-European", "Indic", "Deva")


def test_genealogy_of_a_language_outside_the_table_is_none() -> None:
    assert genealogy("qaa") is None


@pytest.mark.skipif(not COVERAGE.is_file(), reason=f"no corpora at {COVERAGE}; set SPRACHBUND_SHARED")
def test_every_language_of_the_corpora_is_in_normal_form_with_genealogy() -> None:
    with COVERAGE.open(encoding="utf-8") as lines:
        codes = [row["language"] for row in csv.DictReader(lines)]
    assert len(codes) > 100
    assert [code for code in codes if resolve(code).code != code or genealogy(code) is None] == []


@pytest.mark.skipif(not MATRICES.is_dir(), reason=f"no published matrices at {MATRICES}; set SPRACHBUND_SHARED")
def test_every_language_of_the_published_matrices_has_a_genealogy() -> None:
    tables = [read_scores(path) for path in sorted(MATRICES.glob("*.csv"))]
    codes = {code for table in tables for code in (*table.sources, *table.targets)}
    assert len(codes) > 100
    assert sorted(code for code in codes if genealogy(code) is None) == []


@pytest.mark.skipif(not available(), reason="needs lang2vec: pip install 'sprachbund[typology]'")
def test_genealogy_agrees_with_glottolog() -> None:
    """Languages of one genus share two groups there or more (a family and one within it), those of one family one."""
    family, genus = defaultdict(list), defaultdict(list)
    table = (files("matrices") / "data" / "languages.csv").read_text(encoding="utf-8")
    for code in (row["code"] for row in csv.DictReader(table.splitlines())):
        known, groups = genealogy(code), traits(code).families
        assert known is not None
        # Traits have our own family and genus as groups too.
        glottolog = {group for group in groups if group.startswith("F_")}
        if glottolog:
            family[known.family].append(glottolog)
            genus[known.genus].append(glottolog)

    apart = {name for name, groups in family.items() if not set.intersection(*groups)}
    assert apart == {"Altaic", "other"}, "neither is a family in Glottolog"
    shallow = {name for name, groups in genus.items() if len(groups) > 1 and len(set.intersection(*groups)) < 2}
    assert shallow == {"Turkic", "Creoles and Pidgins", "Chinese"}, "a family, none, and a macrolanguage in Glottolog"


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [("deu", "nld", 2), ("deu", "rus", 1), ("deu", "fin", 0), ("hat", "tpi", 0), ("deu", "qaa", 0)],
)
def test_kinship_is_genus_then_family(one: str, other: str, expected: float) -> None:
    assert kinship(one, other) == expected


@pytest.mark.parametrize("given", ["ua", "ir", "Romance", "Slavic", "yor\0", "\0"])
def test_what_names_a_country_or_a_family_or_nothing_is_no_language(given: str) -> None:
    with pytest.raises(UnknownLanguageError):
        resolve(given)
