"""What the languages are made of: the IANA subtag registry, Glottolog, and WALS, as their files have them."""

from __future__ import annotations

import bz2
import csv
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from pathlib import Path

import langcodes
from langcodes.data_dicts import LANGUAGE_ALPHA3

TWO_LETTERS = {
    long: short
    for short, long in LANGUAGE_ALPHA3.items()
    if len(short) == 2 and langcodes.standardize_tag(short) == short
}
"""The tags of ISO 639-3 codes that have an ISO 639-1 code."""
NO_FAMILY = {
    *("Artificial Language", "Bookkeeping", "Mixed Language", "Pidgin", "Speech Register"),
    *("Sign Language", "Unattested", "Unclassifiable"),
}
"""What Glottolog keeps as families for want of one."""
OTHER = "other"
"""WALS has creoles, pidgins and sign languages as genera of this."""
PRIVATE = re.compile(r"q[a-t][a-z]")


@dataclass(frozen=True)
class Registry:
    """The IANA subtag registry: languages by ISO 639-3 code, collections (ISO 639-5) by code, macrolanguages."""

    names: Mapping[str, list[str]]
    collections: Mapping[str, list[str]]
    members: Mapping[str, list[str]]
    scripts: Mapping[str, str]
    asides: Mapping[str, list[str]]
    """Scripts and regions by code."""


def registry() -> Registry:
    text = (files("language_data") / "data" / "language-subtag-registry.txt").read_text(encoding="utf-8")
    names, collections, scripts, asides = {}, {}, {}, {}
    members = defaultdict(list)
    for record in text.replace("\n  ", " ").split("%%\n")[1:]:
        fields = defaultdict(list)
        for line in record.strip().splitlines():
            key, _, value = line.partition(": ")
            fields[key].append(value)
        tag = fields.get("Subtag", [""])[0]
        if fields["Type"] in (["script"], ["region"]) and ".." not in tag:
            asides[tag] = fields["Description"]
        if (
            fields["Type"] != ["language"]
            or ".." in tag
            or PRIVATE.fullmatch(tag)
            or tag in ("und", "mul", "mis", "zxx")
        ):
            continue
        if "Preferred-Value" in fields:
            continue
        if fields.get("Scope") == ["collection"]:
            collections[tag] = fields["Description"]
            continue
        code = alpha3(tag)
        names[code] = fields["Description"]
        if "Macrolanguage" in fields:
            members[alpha3(fields["Macrolanguage"][0])].append(code)
        if "Suppress-Script" in fields:
            scripts[code] = fields["Suppress-Script"][0]
    return Registry(names, collections, {macro: sorted(found) for macro, found in members.items()}, scripts, asides)


def alpha3(tag: str) -> str:
    return langcodes.Language.make(language=tag).to_alpha3() if len(tag) == 2 else tag


def of(code: str) -> langcodes.Language:
    """The tag of an ISO 639-3 code, never that of what replaces it."""
    return langcodes.Language.make(language=TWO_LETTERS.get(code, code))


class Glottolog:
    """Languoids by glottocode, and the groups above each, the widest first."""

    def __init__(self, folder: Path) -> None:
        with bz2.open(folder / "glottolog_languages.csv.bz2", "rt", encoding="utf-8") as lines:
            self.rows = {row["ID"]: row for row in csv.DictReader(lines)}
        with bz2.open(folder / "glottolog_classification.nex.bz2", "rt", encoding="utf-8") as nexus:
            self.parents = dict(_parents(nexus.read()))
        self.by_iso = {row["ISO639P3code"]: row for row in self.rows.values() if row["ISO639P3code"]}

    def lineage(self, glottocode: str) -> list[str] | None:
        """None where nothing is known of kin; an isolate has no groups, and that is known."""
        row = self.rows[glottocode]
        if row["Level"] == "dialect":
            above = self.lineage(row["Language_ID"])
            return None if above is None else [*above, row["Language_ID"]]
        groups = []
        while (glottocode := self.parents.get(glottocode, "")) != "":
            groups.append(glottocode)
        if groups and self.rows[groups[-1]]["Name"] in NO_FAMILY:
            return None
        top = self.rows.get(row["Family_ID"])
        return None if top is not None and top["Name"] in NO_FAMILY else groups[::-1]

    @cached_property
    def names_of_groups(self) -> set[str]:
        return {row["Name"] for row in self.rows.values() if row["Level"] == "family"} - NO_FAMILY


def _parents(nexus: str) -> Iterator[tuple[str, str]]:
    """Child and parent glottocodes of all Newick trees of a NEXUS file."""
    for tree in re.findall(r"tree \w+ = \[&R\] (.*);", nexus):
        open_groups: list[list[str]] = [[]]
        closed_before, closed = False, []
        for token in re.findall(r"[()]|[a-z0-9]{4}\d{4}", tree):
            if token == "(":
                open_groups.append([])
            elif token == ")":
                closed = open_groups.pop()
            else:
                # A label after ``)`` names the group just closed.
                if closed_before:
                    yield from ((child, token) for child in closed)
                open_groups[-1].append(token)
            closed_before = token == ")"


class Wals:
    """Family and genus by ISO 639-3 code, as most of WALS's rows of a code have it."""

    def __init__(self, folder: Path) -> None:
        with (folder / "wals_languages.csv").open(encoding="utf-8") as lines:
            self.rows = [row for row in csv.DictReader(lines) if row["Genus"]]
        votes: dict[str, Counter[tuple[str, str]]] = defaultdict(Counter)
        for row in self.rows:
            for code in [row["ISO639P3code"]] if row["ISO639P3code"] else row["ISO_codes"].split():
                votes[code][row["Family"], row["Genus"]] += 1
        self.genera = {code: found.most_common(1)[0][0] for code, found in votes.items()}
        by_id = {row["ID"]: row for row in self.rows}
        with (folder / "wals_language_names.csv").open(encoding="utf-8") as lines:
            names = [
                (by_id[key], row["Name"])
                for row in csv.DictReader(lines)
                for key in row["Language_ID"].split()
                if key in by_id
            ]
        self.names = [
            (row["ISO639P3code"], name)
            for row, name in [*((row, row["Name"]) for row in self.rows), *names]
            if row["ISO639P3code"]
        ]

    @property
    def names_of_groups(self) -> set[str]:
        return {row[rank] for row in self.rows for rank in ("Family", "Subfamily", "Genus") if row[rank]} - {OTHER}


class Genera:
    """WALS's family and genus of any language: its own, or that of those it shares a group with in Glottolog."""

    def __init__(self, glottolog: Glottolog, wals: Wals) -> None:
        self.glottolog, self.wals = glottolog, wals
        self.under: dict[str, set[tuple[str, str]]] = defaultdict(set)
        for code, known in wals.genera.items():
            row = glottolog.by_iso.get(code)
            if row is not None and known[0] != OTHER:
                for group in [*(glottolog.lineage(row["ID"]) or ()), row["ID"]]:
                    self.under[group].add(known)

    def of(self, code: str, row: Mapping[str, str], lineage: list[str] | None) -> tuple[str, str] | None:
        if code in self.wals.genera:
            return self.wals.genera[code]
        if lineage is None:
            top = self.glottolog.rows.get(row["Family_ID"])
            genus = {"Pidgin": "Creoles and Pidgins", "Sign Language": "Sign Languages"}.get(top["Name"] if top else "")
            constructed = top is not None and top["Name"] == "Artificial Language"
            return (OTHER, genus) if genus else (OTHER, "Constructed") if constructed else None
        if not lineage:
            return row["Name"], row["Name"]
        for at, group in reversed(list(enumerate(lineage))):
            found = self.under.get(group, set())
            if len(found) == 1:
                return next(iter(found))
            if found:
                families = {family for family, _ in found}
                below = lineage[at + 1] if at + 1 < len(lineage) else row["ID"]
                genus = self.glottolog.rows[below]["Name"]
                return (next(iter(families)) if len(families) == 1 else self._name(lineage[0])), genus
        return self._name(lineage[0]), self._name(lineage[1] if len(lineage) > 1 else lineage[0])

    def _name(self, group: str) -> str:
        return self.glottolog.rows[group]["Name"]
