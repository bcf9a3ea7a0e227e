from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import duckdb
import pandas as pd
import polars as pl
import pyarrow.feather
import pyarrow.parquet as pq
import pytest

from matrices.cells import SCHEMA, Cell
from matrices.export import UnknownFormatError, export
from matrices.reading import UnknownMatrixError
from matrices.snapshot_of_store import read_snapshot
from matrices.store import Store

MATRIX = "zero_shot-pos-tiny"
COLUMNS = [
    *("schema_version", "matrix", "encoder", "kind", "composition", "task", "metric", "source", "target", "selection"),
    *("seed", "score", "n_items", "correct", "total", "status", "error", "seconds", "device", "created_at", "cell_id"),
    *("method", "shots", "provenance", "data", "language_seed"),
]


@pytest.fixture
def cells(make_cell: Callable[..., Cell]) -> list[Cell]:
    measured = [make_cell(source=s, target=t, seed=r) for s in ("nan", "deu") for t in ("yor", "wol") for r in (1, 0)]
    return [*measured, make_cell(source=None, composition="baseline"), make_cell(source="hin", status="failed")]


@pytest.fixture
def store(tmp_path: Path, cells: list[Cell]) -> Store:
    store = Store.open(tmp_path / "store", create=True)
    store.append(cells)
    return store


@pytest.fixture
def parquet(store: Store, tmp_path: Path) -> Path:
    return export(store, MATRIX, tmp_path / "out" / "matrix.parquet")


def test_parquet_has_the_documented_columns_and_types(parquet: Path) -> None:
    assert pq.read_schema(parquet).names == COLUMNS
    assert pq.read_table(parquet).schema.equals(SCHEMA)


def test_rows_are_sorted_with_the_baseline_last_of_its_target(parquet: Path) -> None:
    rows = pq.read_table(parquet, columns=["target", "source", "seed"]).to_pylist()

    assert [(row["target"], row["source"], row["seed"]) for row in rows] == [
        *(("wol", source, seed) for source in ("deu", "nan") for seed in (0, 1)),
        *(("yor", source, seed) for source in ("deu",) for seed in (0, 1)),
        ("yor", "hin", 0),
        *(("yor", "nan", seed) for seed in (0, 1)),
        ("yor", None, 0),
    ]


def test_pandas_reads_it(parquet: Path) -> None:
    frame = pd.read_parquet(parquet)

    assert list(frame.columns) == COLUMNS
    assert frame["score"].dtype == "float64"
    assert frame["seed"].dtype == "int32"
    assert str(frame["created_at"].dtype) == "datetime64[us, UTC]"
    assert (frame["source"] == "nan").sum() == 4
    assert frame["source"].isna().sum() == 1
    assert frame.loc[frame["source"] == "nan", "correct"].iloc[0].tolist() == [3, 1, 4]


def test_polars_reads_it(parquet: Path) -> None:
    frame = pl.read_parquet(parquet)

    assert frame.columns == COLUMNS
    assert frame.schema["score"] == pl.Float64
    assert frame.schema["n_items"] == pl.Int32
    assert frame.schema["total"] == pl.List(pl.Float64)
    assert frame.schema["created_at"] == pl.Datetime("us", "UTC")
    assert frame.filter(pl.col("source") == "nan").height == 4
    assert frame["source"].null_count() == 1


def test_duckdb_reads_it(parquet: Path) -> None:
    with duckdb.connect() as connection:
        described = connection.execute("describe select * from read_parquet(?)", [str(parquet)]).fetchall()
        (minnan,) = connection.execute(
            "select count(*) from read_parquet(?) where source = 'nan' and list_sum(correct) = 8", [str(parquet)]
        ).fetchone() or (0,)

    types = {row[0]: row[1] for row in described}
    assert list(types) == COLUMNS
    assert (types["seed"], types["score"], types["correct"]) == ("INTEGER", "DOUBLE", "DOUBLE[]")
    assert types["created_at"] == "TIMESTAMP WITH TIME ZONE"
    assert minnan == 4


def test_the_same_cells_make_the_same_file_however_they_came(cells: list[Cell], parquet: Path, tmp_path: Path) -> None:
    """But for the version that is cited, which counts a store's commits; of one version the bytes are the same."""
    other = Store.open(tmp_path / "other", create=True)
    for cell in reversed(cells):
        other.append([cell])
    first, again = (export(other, MATRIX, tmp_path / f"{name}.parquet") for name in ("first", "again"))

    assert first.read_bytes() == again.read_bytes()
    assert pq.read_table(first).equals(pq.read_table(parquet))
    credits = [json.loads(pq.read_schema(path).metadata[b"sprachbund"]) for path in (first, parquet)]
    assert [credit.pop("version") for credit in credits] == [len(cells), 1]
    first_citation, other_citation = (credit.pop("citation") for credit in credits)
    assert first_citation.replace(f"version {len(cells)}", "version 1") == other_citation
    assert credits[0] == credits[1]


def test_what_is_held_is_written_in_parts_to_the_same_file(store: Store, parquet: Path, tmp_path: Path) -> None:
    assert export(read_snapshot(store), MATRIX, tmp_path / "held.parquet").read_bytes() == parquet.read_bytes()


def test_an_earlier_version_can_be_exported(store: Store, cells: list[Cell], tmp_path: Path) -> None:
    assert pq.read_table(export(store, MATRIX, tmp_path / "new.parquet", version=1)).num_rows == len(cells)
    with pytest.raises(UnknownMatrixError):
        export(store, MATRIX, tmp_path / "empty.parquet", version=0)


def test_csv_keeps_min_nan_a_language_and_lists_as_json(store: Store, tmp_path: Path) -> None:
    frame = pd.read_csv(export(store, MATRIX, tmp_path / "matrix.csv"), keep_default_na=False)

    assert list(frame.columns) == COLUMNS
    assert (frame["source"] == "nan").sum() == 4
    assert json.loads(frame["correct"].iloc[0]) == [3, 1, 4]
    assert frame["created_at"].iloc[0] == "2026-01-01T00:00:00.000000Z"


def test_arrow_keeps_the_schema(store: Store, tmp_path: Path) -> None:
    table = pyarrow.feather.read_table(export(store, MATRIX, tmp_path / "matrix.arrow"))

    assert table.equals(store.cells(MATRIX))


def test_a_failed_export_leaves_nothing_behind(store: Store, tmp_path: Path) -> None:
    with pytest.raises(UnknownFormatError, match=r"cannot write '\.xlsx'; use \.parquet, \.csv, \.arrow"):
        export(store, MATRIX, tmp_path / "out" / "matrix.xlsx")
    with pytest.raises(UnknownMatrixError):
        export(store, "nope", tmp_path / "out" / "matrix.parquet")

    assert not (tmp_path / "out").exists()
