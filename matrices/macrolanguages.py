"""Macrolanguages (ISO 639-3) that corpora use for one standard variety, under either code: they become one."""

from __future__ import annotations

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
