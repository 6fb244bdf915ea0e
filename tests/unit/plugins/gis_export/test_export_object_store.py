"""Exports to an object store: a local stand-in of S3."""

import json
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from typing import Any

import pytest

from terrafusion_lib.core.errors import MissingDependencyError, TerraFusionError
from terrafusion_lib.core.progress import silent
from terrafusion_lib.core.settings import Settings
from terrafusion_lib.pipelines.gis_export_pipeline import export_gis
from terrafusion_lib.plugins.gis_export.destination import ObjectDestination, open_destination
from terrafusion_lib.store.store import open_store
from tests.support.gis_county import COUNT, COUNTY, store_county
from tests.support.require import require

NOW = datetime(2026, 3, 2, tzinfo=UTC)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    settings = store_county(tmp_path_factory.mktemp("gis"))
    return settings.model_copy(update={"exports_url": "s3://gis/exports"})


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """An empty bucket named gis, as fsspec sees it."""
    for package in ("moto", "s3fs"):
        require(find_spec(package), f"{package} is not installed: make env-test")
    import s3fs
    from moto import server as moto

    server = moto.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    reset = urllib.request.Request(f"http://{host}:{port}/moto-api/reset", method="POST")
    urllib.request.urlopen(reset).close()
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    import fsspec

    options = {"endpoint_url": f"http://{host}:{port}"}
    monkeypatch.setitem(fsspec.config.conf, "s3", options)
    s3fs.S3FileSystem.clear_instance_cache()
    filesystem = s3fs.S3FileSystem(**options)
    filesystem.mkdir("gis")
    yield filesystem
    server.stop()
    s3fs.S3FileSystem.clear_instance_cache()


def export(settings: Settings, *, days: int = 0, **options: Any) -> Any:
    return export_gis(
        COUNTY,
        options,
        settings=settings,
        progress=silent,
        clock=lambda: NOW + timedelta(days=days),
    )


def objects(bucket: Any) -> set[str]:
    bucket.invalidate_cache()
    return set(bucket.find("gis"))


def test_an_export_lies_in_the_bucket(project: Settings, bucket: Any) -> None:
    made = export(project, export_format="geoparquet")
    assert made.location == f"s3://gis/exports/{COUNTY}/{made.job_id}"
    key = made.location.removeprefix("s3://")
    names = ("grid_wa_2026_parcels.parquet", "grid_wa_2026_parcels.qml", "grid_wa_2026_parcels.sld")
    assert objects(bucket) == {f"{key}/{name}" for name in (*names, "metadata.json")}
    import geopandas as gpd
    import pyarrow.fs as pa_fs

    frame = gpd.read_parquet(
        f"{key}/{names[0]}", filesystem=pa_fs.PyFileSystem(pa_fs.FSSpecHandler(bucket))
    )
    assert len(frame) == COUNT - 1
    staged = project.county_data(COUNTY) / "exports"
    assert not list(staged.glob(".*")), "nothing is left of the staged files"


def test_a_failed_upload_leaves_no_object(
    project: Settings, bucket: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind = type(bucket)
    put = kind._put_file

    async def failing(self: Any, source: str, target: str, **options: Any) -> None:
        if target.endswith(".sld"):
            raise PermissionError("Access Denied")
        await put(self, source, target, **options)

    monkeypatch.setattr(kind, "_put_file", failing)
    kind.clear_instance_cache()
    with pytest.raises(TerraFusionError, match="Access Denied"):
        export(project, export_format="flatgeobuf")
    assert objects(bucket) == set()
    with open_store(project.operational_database_url) as store:
        failed = [job for job in store.list_jobs(COUNTY) if job["status"] == "FAILED"]
    assert [job["reason_code"] for job in failed] == ["write_failed"]


def test_expired_exports_and_torn_uploads_are_cleared(project: Settings, bucket: Any) -> None:
    old = export(project, attributes=("year_built",))
    bucket.pipe_file(f"gis/exports/{COUNTY}/torn/parcels.gpkg", b"half")
    new = export(project, days=8, attributes=("year_built",))
    left = {name.split("/")[3] for name in objects(bucket)}
    assert left == {new.job_id}
    assert old.job_id not in left


def test_an_upload_under_way_is_left_alone(bucket: Any) -> None:
    bucket.pipe_file("gis/exports/busy/parcels.gpkg", b"half")
    place = ObjectDestination(bucket, "gis/exports", "s3://gis/exports")
    assert place.clear(NOW, {"busy"}.__contains__) == []
    assert place.clear(NOW, set[str]().__contains__) == ["busy"]


def test_metadata_tell_the_terms(project: Settings, bucket: Any) -> None:
    made = export(project, licence="CC BY 4.0")
    document = bucket.cat_file(f"{made.location.removeprefix('s3://')}/metadata.json")
    assert json.loads(document)["licence"] == "CC BY 4.0"


def test_a_store_without_its_package() -> None:
    with pytest.raises(MissingDependencyError, match="no-such-store"):
        open_destination("no-such-store://bucket")
