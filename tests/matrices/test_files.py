"""An exported matrix is a matrix again, whatever it was exported as."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from matrices.bundled import boxed, store_or_box
from matrices.cells import Cell
from matrices.export import export
from matrices.files import FileUnreadableError, holds_matrices, read_cells, read_file
from matrices.published.importing import MatrixTakenError, SeveralMatricesError, import_cells
from matrices.store import Store


@pytest.fixture
def store(tmp_path: Path, make_cell: Callable[..., Cell]) -> Store:
    """A matrix with a baseline, a failure, and outcomes of items."""
    store = Store.open(tmp_path / "store", create=True)
    store.append(
        [
            make_cell(source="deu"),
            make_cell(source="hau", target="wol", correct=(4, 4), total=(5, 5)),
            make_cell(source=None, composition="baseline"),
            make_cell(source="ibo", status="failed"),
        ]
    )
    return store


@pytest.fixture(params=[".parquet", ".csv", ".arrow"])
def exported(request: pytest.FixtureRequest, store: Store, tmp_path: Path) -> Path:
    return export(store, "zero_shot-pos-tiny", tmp_path / f"exported{request.param}")


def test_an_export_comes_back_as_it_was(exported: Path, store: Store) -> None:
    ours, theirs = store.cells("zero_shot-pos-tiny"), read_cells(exported)

    assert holds_matrices(exported)
    # CSV keeps whole seconds, as these are.
    assert theirs.equals(ours)


def test_a_file_answers_like_a_store(exported: Path, store: Store) -> None:
    [ours], [theirs] = store.matrices(), store_or_box(exported).matrices()

    assert (theirs.matrix, theirs.cells, theirs.sources) == (ours.matrix, ours.cells, ours.sources)
    assert read_file(exported).cells(theirs.matrix, target="wol").num_rows == 1


def test_an_export_goes_into_another_store_once_baselines_and_all(exported: Path, store: Store, tmp_path: Path) -> None:
    first = import_cells(tmp_path / "other", read_cells(exported))
    again = import_cells(tmp_path / "other", read_cells(exported))

    other = Store(tmp_path / "other")
    assert (first.added, first.found) == (4, 0)
    assert (again.added, again.found) == (1, 3), "what failed is no work done"
    assert other.cells("zero_shot-pos-tiny").equals(store.cells("zero_shot-pos-tiny"))


def test_an_export_can_have_another_name_and_takes_no_other_matrix_for_its_own(
    exported: Path, tmp_path: Path, make_cell: Callable[..., Cell]
) -> None:
    cells = read_cells(exported)
    assert import_cells(tmp_path / "other", cells, matrix="copy").matrix == "copy"
    Store(tmp_path / "other").append([make_cell(matrix="taken", task="ner")])

    with pytest.raises(
        MatrixTakenError, match="taken is of task ner, the file of pos; import it under another --matrix"
    ):
        import_cells(tmp_path / "other", cells, matrix="taken")


def test_a_file_of_several_matrices_is_asked_but_not_imported_whole(tmp_path: Path) -> None:
    snapshot = boxed()
    assert snapshot is not None
    tables = [snapshot.cells(info.matrix) for info in snapshot.matrices()]
    pq.write_table(pa.concat_tables(tables), tmp_path / "box.parquet")

    assert [info.matrix for info in read_file(tmp_path / "box.parquet").matrices()] == [
        info.matrix for info in snapshot.matrices()
    ]
    with pytest.raises(SeveralMatricesError, match=f"the file holds {len(tables)} matrices"):
        import_cells(tmp_path / "store", read_cells(tmp_path / "box.parquet"))
    assert not (tmp_path / "store").exists()


def test_columns_that_a_file_lacks_are_filled_where_they_may(store: Store, tmp_path: Path) -> None:
    whole = store.cells("zero_shot-pos-tiny")
    pq.write_table(whole.drop_columns(["correct", "total", "device", "n_items"]), tmp_path / "less.parquet")
    cells = read_cells(tmp_path / "less.parquet")

    assert cells.schema.equals(whole.schema)
    assert cells["correct"].null_count == cells.num_rows
    assert set(cells["device"].to_pylist()) == {"not stated"}


def test_a_published_table_is_no_exported_matrix(tmp_path: Path) -> None:
    (tmp_path / "table.csv").write_text("source,target,score\nde,yo,0.5\n")

    assert not holds_matrices(tmp_path / "table.csv")
    assert not holds_matrices(tmp_path / "nowhere.parquet")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (
            lambda cells: cells.drop_columns(["composition", "task"]),
            "lacks task, composition, and is no exported matrix",
        ),
        (
            lambda cells: cells.set_column(0, "schema_version", pa.array([99] * cells.num_rows)),
            "schema version 99, this release reads up to",
        ),
        (lambda cells: cells.slice(0, 0), "it holds no cell"),
        (
            lambda cells: cells.set_column(9, "selection", pa.array([["last"]] * cells.num_rows)),
            "a column has other values than an export",
        ),
    ],
)
def test_what_is_no_export_says_why(
    store: Store, tmp_path: Path, change: Callable[[pa.Table], pa.Table], says: str
) -> None:
    pq.write_table(change(store.cells("zero_shot-pos-tiny")), tmp_path / "bad.parquet")

    with pytest.raises(FileUnreadableError, match=says):
        read_cells(tmp_path / "bad.parquet")


def test_a_damaged_file_says_so(tmp_path: Path) -> None:
    (tmp_path / "bad.parquet").write_bytes(b"PAR1 and no more")

    with pytest.raises(FileUnreadableError, match=r"cannot be read as .parquet"):
        read_cells(tmp_path / "bad.parquet")


def test_a_file_is_held_to_what_a_store_is_held_to(store: Store, tmp_path: Path) -> None:
    path = export(store, "zero_shot-pos-tiny", tmp_path / "matrix.parquet")
    table = pq.read_table(path)
    beyond = table.set_column(table.schema.get_field_index("score"), "score", pa.array([7.5] * table.num_rows))
    pq.write_table(beyond, path)

    with pytest.raises(FileUnreadableError, match=r"not every row can be a cell: [0-9]+ rows: "):
        read_file(path)
