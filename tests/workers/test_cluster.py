"""How many workers a cluster holds, and with how many threads each."""

from __future__ import annotations

import pytest

from workers.cluster import ClusterError, Crew, NoGpuError, crew_for, joined, must_have_gpus

HEAD = {"node:10.0.0.1": 1.0}
EIGHT = {"CPU": 8.0}
FOUR = {"CPU": 4.0}
GPUS = {"CPU": 16.0, "GPU": 2.0}


@pytest.mark.parametrize(
    ("resources", "workers", "gpus", "crew"),
    [
        ([EIGHT], None, 0, Crew(8, 1, 0)),
        ([HEAD, EIGHT, FOUR], None, 0, Crew(12, 1, 0)),
        ([EIGHT], 2, 0, Crew(2, 4, 0)),
        ([EIGHT], 16, 0, Crew(16, 1, 0)),
        ([EIGHT, FOUR], 3, 0, Crew(3, 4, 0)),
        ([EIGHT, FOUR], 2, 0, Crew(2, 4, 0)),  # Six each would leave one without a place.
        ([GPUS, GPUS], None, 1, Crew(4, 8, 1)),
        ([GPUS], None, 0.5, Crew(4, 4, 0.5)),
        ([GPUS], None, 0.1, Crew(16, 1, 0.1)),  # Twenty shares, but sixteen cores.
        ([GPUS, EIGHT], 2, 1, Crew(2, 8, 1)),
        ([], None, 0, Crew(1, 1, 0)),
    ],
)
def test_as_many_workers_as_find_a_place_and_all_cores_shared_out(
    resources: list[dict[str, float]], workers: int | None, gpus: float, crew: Crew
) -> None:
    assert crew_for(resources, workers, gpus) == crew


def test_an_address_where_no_cluster_answers_is_named() -> None:
    with (
        pytest.raises(ClusterError, match=r"no Ray cluster answers at 127\.0\.0\.1:9.*ray start --head"),
        joined("127.0.0.1:9", None),
    ):
        pass


def test_a_job_that_wants_a_gpu_where_there_is_none_is_told_so() -> None:
    with pytest.raises(NoGpuError, match=r"gpus_per_worker is 0\.5, and this machine has no GPU; set it to 0"):
        must_have_gpus([{"CPU": 2}], 0.5)
    with pytest.raises(NoGpuError, match=r"gpus_per_worker is 2, and this machine has 1; set it to 1"):
        must_have_gpus([{"CPU": 8, "GPU": 1}], 2)
    with pytest.raises(NoGpuError, match=r"gpus_per_worker is 2, and the largest of 2 machines has 1; set it to 1"):
        must_have_gpus([{"CPU": 2}, {"CPU": 8, "GPU": 1}], 2)
    must_have_gpus([{"CPU": 2}], 0)
    must_have_gpus([{"CPU": 2}, {"CPU": 8, "GPU": 1}], 0.5)
