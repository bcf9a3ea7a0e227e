"""What is answered from Python: tables and recommendations, for pandas, Polars, Arrow and notebooks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from html import escape
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from matrices.recommend.answer import Recommendation, to_json

if TYPE_CHECKING:
    import pandas
    import polars

_SHOWN = 20
"""Rows of a table that a notebook shows."""


class Table:
    """Rows with named columns; ``about`` says in a line what they are."""

    def __init__(self, table: pa.Table, about: str) -> None:
        self._table, self.about = table, about

    def __len__(self) -> int:
        return int(self._table.num_rows)

    def __repr__(self) -> str:
        return f"<{self.about}: {len(self):,} rows of {', '.join(self._table.column_names)}>"

    def to_arrow(self) -> pa.Table:
        """As it is."""
        return self._table

    def to_frame(self) -> pandas.DataFrame:
        """As a pandas data frame."""
        frame: pandas.DataFrame = self._table.to_pandas()
        return frame

    def to_polars(self) -> polars.DataFrame:
        """As a Polars data frame; needs ``polars``."""
        import polars

        frame = polars.from_arrow(self._table)
        assert isinstance(frame, polars.DataFrame)
        return frame

    def _repr_html_(self) -> str:
        rows = self._table.slice(0, _SHOWN).to_pylist()
        more = f"<p>{_SHOWN} of {len(self):,} rows</p>" if len(self) > _SHOWN else ""
        return f"<p>{escape(self.about)}</p>{_html(self._table.column_names, rows)}{more}"


class Answer:
    """A recommendation, with everything it rests on in ``answer``."""

    def __init__(self, answer: Recommendation) -> None:
        self.answer = answer

    def __repr__(self) -> str:
        best = self.answer.sources[0]
        how = "measured" if best.measured else "predicted"
        return f"<{self.answer.task} in {self.answer.target.name}: {best.name}, {best.score:.3f}, {how}>"

    @property
    def best(self) -> str:
        """ISO 639-3 of the source that ranks first."""
        return self.answer.sources[0].source

    def to_dict(self) -> dict[str, Any]:
        """As the service's JSON has it."""
        return asdict(self.answer)

    def to_json(self) -> bytes:
        """The service's JSON."""
        return to_json(self.answer)

    def to_arrow(self) -> pa.Table:
        """The ranked sources, a row each."""
        return pa.Table.from_pylist([_row(one) for one in self.answer.sources])

    def to_frame(self) -> pandas.DataFrame:
        """The ranked sources as a pandas data frame."""
        return Table(self.to_arrow(), "").to_frame()

    def to_polars(self) -> polars.DataFrame:
        """The ranked sources as a Polars data frame."""
        return Table(self.to_arrow(), "").to_polars()

    def _repr_html_(self) -> str:
        rows = self.to_arrow().to_pylist()
        names = ["rank", "source", "name", "score", "low", "high", "measured", "tied_with_best"]
        title = f"{self.answer.task} in {self.answer.target.name}: transfer from"
        return f"<p><b>{escape(title)}</b></p>{_html(names, rows)}<p>{escape(self.answer.basis)}</p>"


def _row(one: Any) -> dict[str, Any]:
    effect = one.effect
    return {
        **{name: getattr(one, name) for name in ("rank", "source", "name", "score")},
        "low": one.interval[0],
        "high": one.interval[1],
        **{name: getattr(one, name) for name in ("level", "sd", "seeds", "n_items", "measured", "tied_with_best")},
        "probability_best": one.probability_best,
        "difference": None if effect is None else effect.difference,
        "verdict": None if effect is None else effect.verdict,
    }


def _html(names: Sequence[str], rows: Sequence[dict[str, Any]]) -> str:
    head = "".join(f"<th>{escape(name)}</th>" for name in names)
    body = "".join(f"<tr>{''.join(f'<td>{escape(_text(row[name]))}</td>' for name in names)}</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _text(value: object) -> str:
    if value is None:
        return ""
    return f"{value:.3f}" if isinstance(value, float) else str(value)
