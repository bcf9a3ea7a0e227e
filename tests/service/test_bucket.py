"""A service over a store in a bucket, read over HTTP."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO

import pyarrow.parquet as pq
from fastapi.testclient import TestClient

from matrices.cells import from_table
from matrices.store import Store

Serve = Callable[..., TestClient]


def test_answers_and_downloads_come_from_the_bucket(serve: Serve, store: Store, bucket: str) -> None:
    kept = Store.open(f"{bucket}/store", create=True)
    cells = [cell for info in store.matrices() for cell in from_table(store.cells(info.matrix))]
    kept.append(cells)
    client, local = serve(kept), serve(store)
    question = "/v1/recommendations?task=pos&target=yor&kind=zero_shot"
    assert client.get("/ready").status_code == 200
    first, second = (c.get(question).json()["sources"] for c in (client, local))
    assert first == second != []
    matrix = kept.matrices()[0].matrix
    files = [c.get(f"/v1/matrices/{matrix}/download").content for c in (client, local)]
    one, other = (pq.read_table(BytesIO(file)) for file in files)
    assert one.equals(other)
