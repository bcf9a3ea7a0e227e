"""SQuAD's scores of an answer (Rajpurkar et al. 2016), with MLQA's normalisation by language (Lewis et al. 2020).

An answer is put into lower case; punctuation goes, in any script; articles go, of languages that have them as words of
their own; the rest is cut into tokens at spaces, in languages written without spaces between words into characters.
"""

from __future__ import annotations

import re
import string
import unicodedata
from collections import Counter
from collections.abc import Sequence

_ARTICLES = {
    "eng": "a an the",
    "deu": "ein eine einen einem eines einer der die das den dem des",
    "spa": "un una unos unas el la los las",
    "vie": "của là cái chiếc những",
}
"""Articles (in Vietnamese classifiers and particles) as MLQA lists them."""
_ARABIC_ARTICLE = "ال"
_BY_CHARACTER = {"zho", "yue", "jpn", "tha"}
_SPACELESS = re.compile("[\u4e00-\u9fff\u3040-\u30ff\u0e00-\u0e7f]")
"""Han characters, kana and Thai: each a token of its own in ``_BY_CHARACTER`` languages, among words in others'."""


def normalised(text: str, language: str) -> list[str]:
    """The tokens of an answer that count, in a language (ISO 639-3)."""
    text = "".join(char for char in text.lower() if not _is_punctuation(char))
    if language == "ara":
        text = text.replace(_ARABIC_ARTICLE, " ")
    elif language in _ARTICLES:
        text = re.sub(rf"\b(?:{'|'.join(_ARTICLES[language].split())})\b", " ", text)
    if language in _BY_CHARACTER:
        text = _SPACELESS.sub(lambda match: f" {match[0]} ", text)
    return text.split()


def exact_match(answer: str, right: Sequence[str], language: str) -> bool:
    """Whether an answer is one of the right ones but for what normalisation takes away. No right one: "" is right."""
    tokens = normalised(answer, language)
    return any(tokens == normalised(one, language) for one in right or ("",))


def token_f1(answer: str, right: Sequence[str], language: str) -> float:
    """The harmonic mean of precision and recall of an answer's tokens, of the right answer it agrees with most.

    Where one of the two has no tokens, 1 if neither has, else 0. No right one: "" is right.
    """
    return max(_f1(normalised(answer, language), normalised(one, language)) for one in right or ("",))


def _f1(found: Sequence[str], right: Sequence[str]) -> float:
    if not found or not right:
        return float(found == right)
    common = sum((Counter(found) & Counter(right)).values())
    return 2 * common / (len(found) + len(right))


def _is_punctuation(char: str) -> bool:
    return char in string.punctuation or unicodedata.category(char).startswith("P")
