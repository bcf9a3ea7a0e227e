"""Builds what the package knows of the world's languages: `matrices/data/languages.parquet` and `names.parquet`.

    pip install babel          # for names that `language_data` lacks; used here alone
    python tools/build_languages.py [--sources ../shared/languages] [--out matrices/data]

Reads Glottolog's languoids and trees, the languages of WALS and their names (both CC BY 4.0), the IANA subtag registry
and the names, scripts and speakers of the Unicode CLDR. Made of the same files, the output has the same bytes.
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import version
from pathlib import Path

import langcodes
import pyarrow as pa
import pyarrow.parquet as pq
from babel import Locale
from babel.core import get_global
from babel.localedata import locale_identifiers
from langcodes.data_dicts import DEFAULT_SCRIPTS, LIKELY_SUBTAGS, NORMALIZED_MACROLANGUAGES
from langcodes.language_lists import CLDR_LANGUAGES
from language_choices import EXTRA, LIKE, NAMED, SCRIPTS
from language_data.population_data import LANGUAGE_SPEAKING_POPULATION
from language_sources import PRIVATE, TWO_LETTERS, Genera, Glottolog, Registry, Wals, alpha3, of, registry

from matrices.languoids import STANDARD_OF
from matrices.names import ASIDE, FAMILY, HEAD, KINDS, forms, plain

GLOTTOLOG, WALS = "5.1 (CLDF b6d3ea20)", "2020 (CLDF 3a9efd69)"
GLOTTOCODE = re.compile(r"[a-z0-9]{4}\d{4}")


def standard_member(macro: str, known: Registry) -> str | None:
    """The variety that stands for a macrolanguage: what corpora mean by it, CLDR's default, or the most spoken."""
    members = [code for code in known.members.get(macro, []) if code not in known.members]
    if macro in STANDARD_OF:
        return STANDARD_OF[macro]
    default = {alpha3(whole): alpha3(part) for part, whole in NORMALIZED_MACROLANGUAGES.items()}.get(macro)
    return default or max(members, key=lambda code: (speakers(code) or 0, code), default=None)


def speakers(code: str) -> int | None:
    known: int | None = LANGUAGE_SPEAKING_POPULATION.get(TWO_LETTERS.get(code, code))
    return known


def script(code: str, known: Registry) -> str | None:
    if code in SCRIPTS:
        return SCRIPTS[code]
    tag = TWO_LETTERS.get(code, code)
    likely = LIKELY_SUBTAGS.get(tag) or get_global("likely_subtags").get(tag, "").replace("_", "-")
    if likely:
        return langcodes.Language.get(likely).script
    macro = next((macro for macro in known.members if standard_member(macro, known) == code), None)
    return DEFAULT_SCRIPTS.get(tag) or known.scripts.get(code) or (macro and script(macro, known))


def english_name(code: str, known: Registry, glottolog: Glottolog) -> str:
    if code in NAMED:
        return NAMED[code]
    if code not in known.names:
        return glottolog.by_iso[code]["Name"]
    shown = of(code).display_name("en")
    if not shown.startswith("Unknown language"):
        return shown
    return known.names[code][0]


def languages(known: Registry, glottolog: Glottolog, wals: Wals) -> list[dict[str, object]]:
    """A row for each ISO 639-3 code, macrolanguages among them, in order of code."""
    genera = Genera(glottolog, wals)
    found = []
    for code in sorted({*known.names, *LIKE, *(code for code in glottolog.by_iso if not PRIVATE.fullmatch(code))}):
        row = glottolog.by_iso.get(LIKE.get(code, code))
        if code in known.members and (row is None or row["Level"] == "family" or code in STANDARD_OF):
            member = standard_member(code, known)
            row = glottolog.by_iso.get(member or "", row)
        lineage = None if row is None else glottolog.lineage(row["ID"])
        at = row if row is None or row["Latitude"] or row["Level"] != "dialect" else glottolog.rows[row["Language_ID"]]
        genus = (wals.genera.get(code) if row is None else genera.of(code, row, lineage)) or (None, None)
        found.append(
            {
                "code": code,
                "name": english_name(code, known, glottolog),
                "glottocode": row and row["ID"],
                "family": genus[0],
                "genus": genus[1],
                "script": script(code, known),
                "latitude": float(at["Latitude"]) if at is not None and at["Latitude"] else None,
                "longitude": float(at["Longitude"]) if at is not None and at["Longitude"] else None,
                "speakers": speakers(code),
                "lineage": None if lineage is None else " ".join(lineage),
                "members": " ".join(known.members.get(code, [])),
            }
        )
    return found


def names(
    known: Registry, glottolog: Glottolog, wals: Wals, codes: Mapping[str, str]
) -> Iterator[tuple[str, str, str]]:
    """Name, code and kind of name."""
    for code, name in codes.items():
        yield name, code, "name" if code in known.names or code in NAMED else "Glottolog"
        if code in NAMED and not (shown := of(code).display_name("en")).startswith("Unknown language"):
            yield shown, code, "name"
    for code in codes:
        if of(code).language in CLDR_LANGUAGES or len(of(code).language or "") == 2:
            own = of(code).autonym()
            if not own.startswith("Unknown language"):
                yield own, code, "autonym"
    for locale in locale_identifiers():
        code = alpha3(locale)
        if code in codes and (own := Locale.parse(locale).languages.get(locale)):
            yield own, code, "autonym"
    for code, extra in EXTRA.items():
        yield from ((name, code, "autonym") for name in extra)
    for code, found in known.names.items():
        yield from ((name, code, "registry") for name in found)
    of_language = {row["ID"]: row["ISO639P3code"] for row in glottolog.rows.values() if row["Level"] != "family"}
    for key, row in glottolog.rows.items():
        code = of_language.get(key) or of_language.get(row["Language_ID"]) or ""
        if code in codes and row["Level"] != "family":
            yield key, code, "Glottolog"
            if row["Level"] == "language" or row["ISO639P3code"]:
                yield row["Name"], code, "Glottolog"
    yield from ((name, code, "WALS") for code, name in wals.names if code in codes)


def groups(known: Registry, glottolog: Glottolog, wals: Wals) -> Iterator[tuple[str, str]]:
    """The name, or code, of every family, and which: a glottocode, a name of WALS, or nothing where it is neither's."""
    found = {name: name for name in sorted(wals.names_of_groups)}
    found |= {row["Name"]: row["ID"] for row in glottolog.rows.values() if row["Level"] == "family"}
    yield from found.items()
    yield from ((group, group) for group in found.values() if GLOTTOCODE.fullmatch(group))
    for code, described in known.collections.items():
        short = [name.removesuffix(" languages").removesuffix(" language family") for name in described]
        group = next((found[name] for name in short if name in found), "")
        yield from ((name, group) for name in (code, *described, *short))


def named_rows(
    names: Iterable[tuple[str, str, str]], groups: Iterable[tuple[str, str]], asides: Mapping[str, list[str]]
) -> list[tuple[str, str, str, str]]:
    """Rows of plain name, code, kind, and the name as written where that differs: each name of a code once.

    It counts under the earliest kind. A part of a longer name is a ``head``.
    """
    kinds: dict[tuple[str, str, str], int] = {}
    part: set[tuple[str, str]] = set()
    beside = {plain(name): code for code, found in asides.items() for name in found}
    for name, code, kind in names:
        other = forms(name, beside)
        for form in (name, *other.whole):
            if key := plain(form):
                row = key, code, form.casefold().strip()
                kinds[row] = min(KINDS.index(kind), kinds.get(row, len(KINDS)))
        part |= {(plain(head), code) for head in other.parts if plain(head)}
    rows = [(name, code, KINDS[tier], form if form != name else "") for (name, code, form), tier in kinds.items()]
    rows += [(name, code, HEAD, "") for name, code in part - {(name, code) for name, code, _ in kinds}]
    rows += [(plain(name), group, FAMILY, "") for name, group in groups if plain(name)]
    rows += [(name, code, ASIDE, "") for name, code in beside.items()]
    order = (*KINDS, HEAD, FAMILY, ASIDE)
    return sorted(set(rows), key=lambda row: (row[0], order.index(row[2]), row[1], row[3]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sources", type=Path, default=Path("../shared/languages"))
    parser.add_argument("--out", type=Path, default=Path("matrices/data"))
    given = parser.parse_args()
    known, glottolog, wals = registry(), Glottolog(given.sources), Wals(given.sources)
    rows = languages(known, glottolog, wals)
    databases = {
        "Glottolog": GLOTTOLOG,
        "WALS Online": WALS,
        "CLDR and IANA registry": f"language_data {version('language_data')}, babel {version('babel')}",
    }
    schema = pa.schema(
        [
            *(pa.field(name, pa.string()) for name in ("code", "name", "glottocode", "family", "genus", "script")),
            *(pa.field(name, pa.float32()) for name in ("latitude", "longitude")),
            pa.field("speakers", pa.int64()),
            *(pa.field(name, pa.string()) for name in ("lineage", "members")),
        ],
        metadata={
            "databases": json.dumps(databases),
            "attribution": "Glottolog (Hammarström, Forkel, Haspelmath, Bank), CC BY 4.0; WALS Online (Dryer, "
            "Haspelmath), CC BY 4.0; Unicode CLDR; IANA language subtag registry",
        },
    )
    write(pa.Table.from_pylist(rows, schema=schema), given.out / "languages.parquet")
    codes = {str(row["code"]): str(row["name"]) for row in rows}
    listed = named_rows(names(known, glottolog, wals, codes), groups(known, glottolog, wals), known.asides)
    columns = zip(*listed, strict=True)
    write(pa.table(dict(zip(("name", "code", "kind", "written"), columns, strict=True))), given.out / "names.parquet")


def write(table: pa.Table, path: Path) -> None:
    many = [name for name in table.column_names if name in ("code", "kind", "family", "genus", "script")]
    sorted_texts = {name: "DELTA_BYTE_ARRAY" for name in table.column_names if name in ("name", "written", "lineage")}
    pq.write_table(
        table, path, compression="zstd", compression_level=19, use_dictionary=many, column_encoding=sorted_texts
    )
    print(f"{path}: {table.num_rows:,} rows, {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
