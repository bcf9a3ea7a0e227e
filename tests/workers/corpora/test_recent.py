"""What was read lately is kept up to a bound, and read again after that."""

from __future__ import annotations

from workers.corpora.folder import Recent


class Reader:
    """Counts how often it is asked."""

    def __init__(self) -> None:
        self.read: list[str] = []

    def __call__(self, recent: Recent[str, str], key: str) -> str:
        return recent.get(key, lambda: self._make(key))

    def _make(self, key: str) -> str:
        self.read.append(key)
        return key


def test_what_fits_is_read_once() -> None:
    recent, ask = Recent[str, str](most=4, size=len), Reader()
    assert [ask(recent, key) for key in ("aa", "bb", "aa", "bb")] == ["aa", "bb", "aa", "bb"]
    assert ask.read == ["aa", "bb"]


def test_what_was_asked_for_longest_ago_goes_first() -> None:
    recent, ask = Recent[str, str](most=4, size=len), Reader()
    for key in ("aa", "bb", "aa", "cc", "aa", "bb"):
        ask(recent, key)
    assert ask.read == ["aa", "bb", "cc", "bb"]


def test_a_value_larger_than_the_bound_is_kept_alone() -> None:
    recent, ask = Recent[str, str](most=4, size=len), Reader()
    for key in ("aa", "very large", "very large", "aa"):
        ask(recent, key)
    assert ask.read == ["aa", "very large", "aa"]
