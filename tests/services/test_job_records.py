"""The life of a job in the database, on SQLite and on a real PostgreSQL."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from terrafusion_lib.core.errors import RunError
from terrafusion_lib.core.processes import this_process
from terrafusion_lib.jobs import lease, records
from terrafusion_lib.jobs.lease import close_lost, is_lost
from terrafusion_lib.store.store import Store, open_store

NOW = datetime(2026, 1, 5, 12, 30, tzinfo=UTC)
COUNTY = "test_wa"
ELSEWHERE = {"host": "another-machine", "pid": 1, "started": 0.0}


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    url = f"sqlite:///{tmp_path / 'operational.db'}"
    if request.param == "postgresql":
        url = str(request.getfixturevalue("postgres_url"))
    with open_store(url) as opened:
        opened.migrate()
        yield opened


def create(store: Store, job_id: str = "j1", **more: Any) -> str:
    worker = more.pop("worker", None)
    with store.writing("test") as connection:
        records.create(
            connection,
            job_id=job_id,
            plugin=more.pop("plugin", "valuation"),
            county_id=COUNTY,
            username="ann",
            assessment_year=2026,
            run_id=job_id,
            parameters={"comparables": 5},
            request={"year": 2026},
            worker=worker,
            own=more,
            now=NOW,
        )
    return job_id


def claim(store: Store, job_id: str = "j1", worker: dict[str, Any] | None = None) -> bool:
    with store.writing("test") as connection:
        return records.claim(
            connection,
            job_id,
            worker=worker or this_process(),
            versions={"duckdb": "2"},
            now=NOW,
            lease_until=NOW + lease.LEASE,
        )


def job(store: Store, job_id: str = "j1") -> dict[str, Any]:
    with store.reading("test") as connection:
        return records.get(connection, job_id)


def test_a_job_goes_its_way_with_the_columns_of_its_plugin(store: Store) -> None:
    create(store, property_id="7")
    assert (job(store)["status"], job(store)["property_id"]) == ("PENDING", "7")
    assert claim(store)
    with store.writing("test") as connection:
        completed = records.complete(
            connection, job(store), now=NOW, own={"estimated_value": 1.5}, result_location="there"
        )
    assert completed
    done = job(store)
    assert (done["status"], done["progress"], done["lease_until"]) == ("COMPLETED", 1.0, None)
    assert (done["estimated_value"], done["result_location"]) == (1.5, "there")


def test_of_several_that_claim_a_job_at_once_one_gets_it(store: Store) -> None:
    create(store)
    got: list[bool] = []
    threads = [threading.Thread(target=lambda: got.append(claim(store))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(got) == [False, False, False, True]


def test_a_job_that_ended_stays_as_it_ended(store: Store) -> None:
    create(store)
    end = {"now": NOW, "reason_code": "cancelled", "message": "by ann"}
    with store.writing("test") as connection:
        assert records.end(connection, "j1", "CANCELLED", **end)
        assert not records.end(connection, "j1", "FAILED", **end | {"reason_code": "x"})
        assert not records.complete(connection, records.get(connection, "j1"), now=NOW, own={})
        assert not records.beat(connection, "j1", now=NOW, progress=0.5, lease_until=NOW)
    assert not claim(store)
    assert (job(store)["status"], job(store)["reason_code"]) == ("CANCELLED", "cancelled")


def test_a_beat_keeps_the_lease(store: Store) -> None:
    create(store)
    claim(store, worker=ELSEWHERE)
    later = NOW + timedelta(minutes=4)
    with store.writing("test") as connection:
        assert records.beat(
            connection, "j1", now=later, progress=0.25, lease_until=later + lease.LEASE
        )
    assert not is_lost(job(store), NOW + timedelta(minutes=8)), "started 8 minutes ago, beat 4"
    assert close_lost(store, lambda: NOW + timedelta(minutes=8)) == []
    assert close_lost(store, lambda: NOW + timedelta(minutes=10)) == ["j1"]
    lost = job(store)
    assert (lost["status"], lost["reason_code"], lost["progress"]) == (
        "FAILED",
        "worker_lost",
        0.25,
    )


def test_a_worker_of_this_machine_is_looked_at(store: Store) -> None:
    create(store, "alive")
    claim(store, "alive")
    create(store, "gone")
    claim(store, "gone", worker=this_process() | {"pid": 2**22 + 1})
    create(store, "mine", worker=this_process() | {"pid": 2**22 + 1})
    create(store, "waiting")
    assert close_lost(store, lambda: NOW + timedelta(days=3)) == ["gone", "mine"]
    assert job(store, "alive")["status"] == "RUNNING", "its process lives, however long it takes"
    assert job(store, "waiting")["status"] == "PENDING", "any worker may take it"


def test_listing_writes_nothing(store: Store) -> None:
    create(store)
    claim(store, worker=ELSEWHERE)
    with store.reading("test") as connection:
        (row,) = records.listed(connection, county_id=COUNTY)
    assert is_lost(row, NOW + timedelta(days=2))
    assert job(store)["status"] == "RUNNING"


def test_jobs_of_a_plugin_that_is_gone_are_still_told(store: Store) -> None:
    create(store, "old", plugin="heat_map")
    assert job(store, "old")["plugin"] == "heat_map"
    with store.reading("test") as connection:
        assert [row["job_id"] for row in records.listed(connection, county_id=COUNTY)] == ["old"]


def test_an_unknown_job_is_told(store: Store) -> None:
    with pytest.raises(RunError):
        job(store, "nope")
