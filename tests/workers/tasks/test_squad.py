"""SQuAD's and MLQA's scores of an answer: what their official scripts say of the same pairs, worked out by hand."""

import pytest

from workers.tasks.qa import exact_match, normalised, token_f1


@pytest.mark.parametrize(
    ("language", "text", "tokens"),
    [
        ("eng", "The  Panthers' defense, an A-team.", ["panthers", "defense", "ateam"]),
        ("eng", "a cat the Theatre", ["cat", "theatre"]),
        ("deu", "Der Hund, das Ding und eine Rose", ["hund", "ding", "und", "rose"]),
        ("spa", "Los 308 puntos de la liga", ["308", "puntos", "de", "liga"]),
        ("vie", "Những cái bàn của tôi", ["bàn", "tôi"]),
        ("ara", "البيت الكبير", ["بيت", "كبير"]),
        ("hin", "एक घर।", ["एक", "घर"]),
        ("zho", "北京 Olympia，2008年", ["北", "京", "olympia2008", "年"]),
        ("jpn", "東京タワー", ["東", "京", "タ", "ワ", "ー"]),
        ("tha", "ปี 1990", ["ป", "ี", "1990"]),
        ("tur", "the Boğaz", ["the", "boğaz"]),
        ("eng", "«The» 6½ ¿sacks?", ["6½", "sacks"]),
    ],
)
def test_normalisation_takes_away_what_does_not_count(language: str, text: str, tokens: list[str]) -> None:
    assert normalised(text, language) == tokens


def test_articles_are_those_of_the_language() -> None:
    assert normalised("the die los", "eng") == ["die", "los"]
    assert normalised("the die los", "deu") == ["the", "los"]
    assert normalised("the die los", "spa") == ["the", "die"]


def test_f1_is_of_tokens_with_their_number() -> None:
    assert token_f1("the cat sat", ["cat sat down"], "eng") == pytest.approx(0.8)
    assert token_f1("cat cat", ["cat"], "eng") == pytest.approx(2 / 3)
    assert token_f1("dog", ["cat"], "eng") == 0
    assert token_f1("down cat", ["cat down"], "eng") == 1


def test_the_nearest_of_several_right_answers_counts() -> None:
    assert token_f1("308 points", ["308", "gave up", "308 points"], "eng") == 1
    assert exact_match("the 308", ["points", "308"], "eng")
    assert not exact_match("down cat", ["cat down"], "eng")


def test_no_answer_is_right_where_there_is_none_and_wrong_elsewhere() -> None:
    assert token_f1("", [], "eng") == 1
    assert token_f1("cat", [], "eng") == 0
    assert token_f1("", ["cat"], "eng") == 0
    assert token_f1("the", ["a"], "eng") == 1  # neither has a token that counts
    assert exact_match("", [], "eng")


def test_characters_are_tokens_where_there_are_no_spaces() -> None:
    assert token_f1("北京市", ["北京"], "zho") == pytest.approx(0.8)
    assert token_f1("北京市", ["北京"], "eng") == 0
