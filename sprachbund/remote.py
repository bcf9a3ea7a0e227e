"""Matrices that a service has, asked over HTTP: the same interface as those one has oneself."""

from __future__ import annotations

import io
import weakref
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pyarrow as pa
from pydantic import TypeAdapter

from matrices.recommend.answer import Recommendation
from sprachbund.opened import Opened
from sprachbund.results import Answer, Table

if TYPE_CHECKING:
    import httpx

    from matrices.recommend import Question
    from sprachbund.many_targets import AskedTarget

_ARROW = "application/vnd.apache.arrow.stream"
_PAGE = 10_000
_TARGETS = 50
"""The most that a service answers about at once."""
_SECONDS = 300.0
"""The first prediction of a large matrix takes so long."""


class ServiceError(OSError):
    """A service that cannot be reached, or that refused; the message is the one line it gave."""


class Remote(Opened):
    """Matrices at the address of a service. Nothing is kept but the connection. All it does raises ``ServiceError``."""

    def __init__(self, address: str, *, key: str | None = None, client: httpx.Client | None = None) -> None:
        """``client`` is one of one's own, with a base address; else one is made. Needs ``pip install httpx``."""
        self.address = address.rstrip("/") + "/"
        self._client = client or _client(self.address, key)
        if client is None:
            weakref.finalize(self, self._client.close)
        self._json("ready")

    def __repr__(self) -> str:
        return f"<matrices at {self.address}>"

    def matrices(self) -> Table:
        """See ``Opened``."""
        return Table(pa.Table.from_pylist(self._json("v1/matrices")["matrices"]), f"matrices at {self.address}")

    def cells(
        self, matrix: str, *, source: str | None = None, target: str | None = None, outcomes: bool = False
    ) -> Table:
        """See ``Opened``."""
        given = {"source": source, "target": target, "outcomes": outcomes or None, "limit": _PAGE}
        return Table(self._pages(f"v1/matrices/{quote(matrix, safe='')}/cells", given), f"cells of {matrix}")

    def pairs(self, matrix: str, *, composition: str | None = None, selection: str | None = None) -> Table:
        """See ``Opened``."""
        given = {"form": "pairs", "composition": composition, "selection": selection}
        return Table(self._pages(f"v1/matrices/{quote(matrix, safe='')}/cells", given), f"pairs of {matrix}")

    def measure(self, matrix: str, what: str, *, composition: str | None = None, selection: str | None = None) -> Table:
        """See ``Opened``."""
        path = f"v1/matrices/{quote(matrix, safe='')}/measures/{quote(what, safe='')}"
        return Table(self._pages(path, {"composition": composition, "selection": selection}), f"{what} of {matrix}")

    def _answer(self, question: Question) -> Answer:
        body = self._get("v1/recommendations", {**_given(question), "target": question.target}).content
        return Answer(TypeAdapter(Recommendation).validate_json(body))

    def _answers(self, question: Question, targets: Sequence[str]) -> list[AskedTarget]:
        from sprachbund.many_targets import AskedTarget

        found = []
        for begin in range(0, len(targets), _TARGETS):
            asked_now = list(targets[begin : begin + _TARGETS])
            response = self._asked("POST", "v1/recommendations", json={**_given(question), "targets": asked_now})
            for target, one in zip(asked_now, response.json()["answers"], strict=True):
                answer = one["answer"] and TypeAdapter(Recommendation).validate_python(one["answer"])
                problem = one["problem"] and one["problem"]["detail"]
                found.append(AskedTarget(target=target, answer=answer, problem=problem))
        return found

    def _pages(self, path: str, given: dict[str, Any]) -> pa.Table:
        """Every page of a table, as Arrow; the pages are of one version."""
        tables = []
        response = self._get(path, given, {"Accept": _ARROW})
        while True:
            tables.append(pa.ipc.open_stream(io.BytesIO(response.content)).read_all())
            following = response.links.get("next")
            if following is None:
                return pa.concat_tables(tables)
            cursor = following["url"].rpartition("cursor=")[2].partition("&")[0]
            response = self._get(path, {**given, "cursor": cursor}, {"Accept": _ARROW})

    def _json(self, path: str) -> Any:
        return self._get(path, {}).json()

    def _get(self, path: str, given: dict[str, Any], headers: dict[str, str] | None = None) -> httpx.Response:
        params = {name: value for name, value in given.items() if value is not None}
        return self._asked("GET", path, params=params, headers=headers)

    def _asked(self, method: str, path: str, **given: Any) -> httpx.Response:
        import httpx

        try:
            response = self._client.request(method, path, **given)
        except httpx.HTTPError as error:
            raise ServiceError(f"{self.address} cannot be reached: {error}; is a service listening there?") from error
        if response.status_code >= 400:
            raise ServiceError(_refusal(self.address, response))
        return response


def _given(question: Question) -> dict[str, Any]:
    """What is asked, but of which target, as a service names it; what is not said is left out."""
    named = {name: value for name, value in asdict(question).items() if name not in ("target", "sources")}
    given = {**named, "source": list(question.sources)}
    return {name: value for name, value in given.items() if value is not None and value is not False}


def _client(address: str, key: str | None) -> httpx.Client:
    try:
        import httpx
    except ImportError as error:
        raise ServiceError(
            "a service is asked with httpx, which is missing; pip install 'sprachbund[client]'"
        ) from error
    headers = {} if key is None else {"Authorization": f"Bearer {key}"}
    return httpx.Client(base_url=address, headers=headers, timeout=_SECONDS, follow_redirects=True)


def _refusal(address: str, response: httpx.Response) -> str:
    """The line that a problem document gives."""
    try:
        return str(response.json()["detail"])
    except (ValueError, KeyError, TypeError):
        return f"{address} answered {response.status_code}, and not as a service of this package does"
