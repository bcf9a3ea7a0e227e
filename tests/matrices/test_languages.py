"""Languages: whatever a person writes gives one code, and what is unknown names its neighbours."""

import copy
import csv
import os
from dataclasses import replace
from pathlib import Path

import pytest

from matrices.languages import (
    Genealogy,
    Language,
    UnknownLanguageError,
    among,
    genealogy,
    kinship,
    members_of,
    name_of,
    resolve,
)
from matrices.languoids import languoid
from matrices.likeness.typology import traits
from matrices.published.scores import read_scores

SHARED = Path(os.environ.get("SPRACHBUND_SHARED", Path(__file__).parents[2] / ".." / "shared"))
COVERAGE = SHARED / "data" / "coverage.csv"
MATRICES = SHARED / "matrices"
CASES = SHARED / "cases" / "languages.csv"
FLORES_200 = """
ace acm acq aeb afr ajp aka als amh apc arb ars ary arz asm ast awa ayr azb azj bak bam ban bel bem ben bho bjn bod
bos bug bul cat ceb ces cjk ckb crh cym dan deu dik dyu dzo ell eng epo est eus ewe fao fij fin fon fra fur fuv gaz
gla gle glg grn guj hat hau heb hin hne hrv hun hye ibo ilo ind isl ita jav jpn kab kac kam kan kas kat kaz kbp kea
khk khm kik kin kir kmb kmr knc kon kor lao lij lim lin lit lmo ltg ltz lua lug luo lus lvs mag mai mal mar min mkd
mlt mni mos mri mya nld nno nob npi nso nus nya oci ory pag pan pap pbt pes plt pol por prs quy ron run rus sag san
sat scn shn sin slk slv smo sna snd som sot spa srd srp ssw sun swe swh szl tam taq tat tel tgk tgl tha tir tpi tsn
tso tuk tum tur twi tzm uig ukr umb urd uzn vec vie war wol xho ydd yor yue zho zsm zul
"""
UNIVERSAL_DEPENDENCIES = """
abq abk afr aii ajp akk aln amh ang apu aqz ara arr asm aze azz bam bar bej bel ben bho bor bre bul bxr cat ceb ces
ckt cop cpg cym dan deu egy ell eme eng epo ess est eus fao fas fin fra frm fro gla gle glg glv got grc grn gsw gub
guj gun gwi hat hau hbo heb hin hit hrv hsb hun hye hyw ind isl ita jaa jav jpn kan kat kaz kfm kir kmr koi kor kpv
krl lad lat lav lij lit ltg ltz lzh mal mar mdf mkd mlt mpu myu myv nap naq nds nld nno nob nyq oci olo orv ota otk
pad pcm pol por pus quc ron rus sab sah san say sin sjo slk slv sme sms snd soj spa sqi srp ssp swe swl tam tat tel
tgl tha tpn tsn tuk tur uig ukr urb urd uzb vep vie wbp wol xav xcl xnr xpg xum yor yrl yue zho
"""


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


def test_bokmal_is_bare_norwegian_and_nynorsk_is_itself() -> None:
    assert resolve("no") == resolve("nob") == resolve("Norwegian Bokmål") == Language("nor", "Norwegian")
    assert resolve("nn") == resolve("nno") == Language("nno", "Norwegian Nynorsk")


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


def test_genealogy_of_a_generated_language_is_none() -> None:
    assert genealogy("qaa") is None


@pytest.mark.skipif(not COVERAGE.is_file(), reason=f"no corpora at {COVERAGE}; set SPRACHBUND_SHARED")
def test_every_language_of_the_corpora_is_in_normal_form_with_genealogy() -> None:
    with COVERAGE.open(encoding="utf-8") as lines:
        codes = [row["language"] for row in csv.DictReader(lines)]
    assert len(codes) > 100
    assert [code for code in codes if resolve(code).code != code] == ["nob"], "which is bare Norwegian"
    assert [code for code in codes if genealogy(code) is None] == []


@pytest.mark.skipif(not MATRICES.is_dir(), reason=f"no published matrices at {MATRICES}; set SPRACHBUND_SHARED")
def test_every_language_of_the_published_matrices_has_a_genealogy() -> None:
    tables = [read_scores(path) for path in sorted(MATRICES.glob("*.csv"))]
    codes = {code for table in tables for code in (*table.sources, *table.targets)}
    assert len(codes) > 100
    assert sorted(code for code in codes if genealogy(code) is None) == []


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


@pytest.mark.skipif(not CASES.is_file(), reason=f"no cases at {CASES}; set SPRACHBUND_SHARED")
def test_what_people_type_is_answered_or_refused_with_what_they_meant() -> None:
    with CASES.open(encoding="utf-8") as lines:
        cases = list(csv.DictReader(lines))
    wrong = []
    for case in cases:
        try:
            found, offered = resolve(case["typed"]).code, []
        except UnknownLanguageError as error:
            found, offered = "error", [code for code, _ in error.nearest]
        if found not in case["right"].split("|") or (case["near"] and case["near"] not in offered):
            wrong.append((case["typed"], found, offered))
    assert len(cases) > 40
    assert wrong == []


@pytest.mark.parametrize("codes", [FLORES_200, UNIVERSAL_DEPENDENCIES], ids=["FLORES-200", "Universal Dependencies"])
def test_every_language_of_a_well_known_collection_has_a_family_and_a_place(codes: str) -> None:
    resolved = {code: resolve(code).code for code in codes.split()}
    assert len(resolved) > 160
    assert [code for code, ours in resolved.items() if genealogy(ours) is None] == []
    places = {code: languoid(ours) for code, ours in resolved.items()}
    assert [code for code, place in places.items() if place is None or place.latitude is None] == []


@pytest.mark.parametrize(("one", "other"), [("hsb", "dsb"), ("nso", "sot"), ("spa", "ast"), ("als", "aln")])
def test_sisters_are_of_one_genus(one: str, other: str) -> None:
    assert genealogy(one) is not None
    assert kinship(resolve(one).code, resolve(other).code) == 2


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("yor", Genealogy("Niger-Congo", "Defoid", "Latn")),  # as WALS has it
        ("hin", Genealogy("Indo-European", "Indic", "Deva")),
        ("got", Genealogy("Indo-European", "Germanic", "Latn")),  # WALS lacks it: as all others of its group
        ("hit", Genealogy("Indo-European", "Anatolian", "Xsux")),  # WALS lacks its whole group
        ("pcm", Genealogy("other", "Creoles and Pidgins", "Latn")),
        ("tur", Genealogy("Altaic", "Turkic", "Latn")),
        ("zho", Genealogy("Sino-Tibetan", "Chinese", "Hans")),  # a macrolanguage, as Mandarin
        ("eus", Genealogy("Basque", "Basque", "Latn")),  # an isolate
    ],
)
def test_genealogy_gives_family_genus_and_script(code: str, expected: Genealogy) -> None:
    assert genealogy(code) == expected


def test_a_language_of_no_known_kin_has_no_genealogy_and_yet_a_name() -> None:
    assert genealogy("ecy") is None
    assert name_of("ecy") == "Eteocypriot"


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ("Sorbian, Lower", "dsb"),
        ("Greek, Modern (1453-)", "ell"),
        ("Chinese (Simplified)", "zho"),
        ("Portuguese (Brazil)", "por"),
        ("turkce", "tur"),
        ("Espanol", "spa"),
        ("Čeština", "ces"),
        ("한국어", "kor"),
        ("தமிழ்", "tam"),
        ("isiZulu", "zul"),
        ("Sesotho", "sot"),
        ("Sepedi", "nso"),
        ("zh-min-nan", "nan"),
        ("zh_classical", "lzh"),
        ("English language", "eng"),
        ("cusc1236", "que"),
        ("Võro", "vro"),
        ("Voro", "vor"),
    ],
)
def test_names_in_any_form_and_script_are_understood(given: str, code: str) -> None:
    assert resolve(given).code == code


@pytest.mark.parametrize(
    ("given", "because", "offered"),
    [
        ("Slavic", "a family", "rus"),
        ("Bantu", "a family", "swa"),
        ("slav1255", "a family", "rus"),
        ("Niger-Congo", "a family", "yor"),
        ("cel", "a family", "cym"),
        ("Kurdish", "a macrolanguage", "kmr"),
        ("Fulah", "a macrolanguage", "fuv"),
        ("Kiche", "what several languages are called", "quc"),
    ],
)
def test_a_name_of_several_languages_is_refused_with_the_most_spoken_of_them(
    given: str, because: str, offered: str
) -> None:
    with pytest.raises(UnknownLanguageError, match=f"{given}' is {because}.*, not one language; name one") as caught:
        resolve(given)
    assert offered in [code for code, _ in caught.value.nearest]


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("Swahilli", "swa"),
        ("Ukranian", "ukr"),
        ("Norweigan", "nor"),
        ("Kinyarwnda", "kin"),
        ("ke", "swa"),
        ("jp", "jpn"),
    ],
)
def test_a_slip_of_the_pen_or_the_code_of_a_country_offers_what_was_meant_first(given: str, meant: str) -> None:
    with pytest.raises(UnknownLanguageError) as caught:
        resolve(given)
    assert caught.value.nearest[0][0] == meant


def test_a_macrolanguage_is_the_one_of_its_members_at_hand() -> None:
    assert among("Kurdish", {"ckb", "eng"}) == "ckb"
    assert among("ku", {"kmr", "eng"}) == "kmr"
    assert among("no", {"nob", "eng"}) == "nob"
    assert among("no", {"nor", "nno"}) == "nor"
    assert among("kmr", {"ckb"}) == "kmr"


@pytest.mark.parametrize("given", ["Kurdish", "ku"])
def test_a_macrolanguage_with_several_members_at_hand_says_which_and_asks(given: str) -> None:
    with pytest.raises(UnknownLanguageError, match=r"name one: ckb \(Central Kurdish\), kmr \(Northern Kurdish\)$"):
        among(given, {"kmr", "ckb", "eng"})


def test_a_language_in_one_script_is_that_language_in_all_that_is_known_of_it() -> None:
    assert name_of("kas_Deva") == "Kashmiri (Deva)"
    known = genealogy("kas")
    assert known is not None
    assert genealogy("kas_Deva") == replace(known, script="Deva")
    assert kinship("kas_Deva", "kas_Arab") == kinship("kas_Deva", "kas") == 2
    assert traits("kas_Deva").vectors.keys() == traits("kas").vectors.keys()


def test_a_language_is_the_one_script_of_it_at_hand() -> None:
    assert among("Kashmiri", {"kas_Deva", "eng"}) == "kas_Deva"
    assert among("kas_Deva", {"kas_Deva", "kas_Arab"}) == "kas_Deva"
    assert among("kas", {"kas", "kas_Deva"}) == "kas"
    with pytest.raises(UnknownLanguageError, match=r"name one: kas_Arab \(Kashmiri \(Arab\)\), kas_Deva \(Kashm"):
        among("kas", {"kas_Arab", "kas_Deva", "eng"})


def test_members_of_a_macrolanguage_are_in_normal_form_the_most_spoken_first() -> None:
    assert members_of("zho")[:2] == ("yue", "wuu")
    assert members_of("deu") == ()
