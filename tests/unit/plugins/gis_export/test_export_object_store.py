"""Exports to an object store: a local stand-in of S3."""

import json
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from terrafusion_lib.core.errors import MissingDependencyError, TerraFusionError
from terrafusion_lib.core.progress import silent
from terrafusion_lib.core.settings import Settings
from terrafusion_lib.jobs.destination import open_destination
from terrafusion_lib.jobs.marker import MARKER, marker_text
from terrafusion_lib.plugins.write_errors import PublishError
from tests.support.gis_county import COUNT, COUNTY, export_gis, jobs_of, store_county
from tests.support.require import require

pytestmark = pytest.mark.slow

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
    assert objects(bucket) == {f"{key}/{name}" for name in (*names, "metadata.json", MARKER)}
    import geopandas as gpd
    import pyarrow.fs as pa_fs

    frame = gpd.read_parquet(
        f"{key}/{names[0]}", filesystem=pa_fs.PyFileSystem(pa_fs.FSSpecHandler(bucket))
    )
    assert len(frame) == COUNT - 1
    staged = project.county_data(COUNTY) / "staged"
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
    failed = [job for job in jobs_of(project) if job["status"] == "FAILED"]
    assert [job["reason_code"] for job in failed] == ["unwritable"]


def test_expired_exports_are_cleared_and_nothing_else(project: Settings, bucket: Any) -> None:
    """What others keep there, and what a person put into an export, stays."""
    old = export(project, attributes=("year_built",))
    foreign = f"gis/exports/{COUNTY}/other-project/parcels.gpkg"
    added = f"{old.location.removeprefix('s3://')}/notes.txt"
    bucket.pipe({foreign: b"whole", added: b"mine"})
    new = export(project, days=8, attributes=("year_built",))
    left = objects(bucket)
    assert {foreign, added} <= left
    assert {name for name in left if old.job_id in name} == {added}
    assert any(new.job_id in name for name in left)


def test_another_projects_exports_are_left_alone(
    project: Settings, bucket: Any, tmp_path: Path
) -> None:
    """Two projects share a bucket: the other's uploads, whole or under way, are not ours."""
    other = store_county(tmp_path).model_copy(update={"exports_url": project.exports_url})
    theirs = export(project, attributes=("year_built",))
    bucket.pipe_file(f"gis/exports/{COUNTY}/under-way/{MARKER}", marker_text("under-way", []))
    export(other, days=30, attributes=("year_built",))
    names = objects(bucket)
    assert f"{theirs.location.removeprefix('s3://')}/grid_wa_2026.gpkg" in names
    assert f"gis/exports/{COUNTY}/under-way/{MARKER}" in names


def test_an_upload_that_lost_a_file_fails(
    project: Settings, bucket: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind = type(bucket)
    put = kind._put_file

    async def losing(self: Any, source: str, target: str, **options: Any) -> None:
        await put(self, source, target, **options)
        if target.endswith("metadata.json"):
            await self._rm(target.replace("metadata.json", "grid_wa_2026.gpkg"))

    monkeypatch.setattr(kind, "_put_file", losing)
    kind.clear_instance_cache()
    with pytest.raises(PublishError, match="incomplete after") as failure:
        export(project)
    assert failure.value.reason_code == "upload_incomplete"
    assert failure.value.examples == ("grid_wa_2026.gpkg",)
    assert objects(bucket) == set()


def test_a_bucket_that_is_not_there_is_not_made(project: Settings, bucket: Any) -> None:
    elsewhere = project.model_copy(update={"exports_url": "s3://gsi/exports"})
    with pytest.raises(PublishError, match="does not exist") as failure:
        export(elsewhere)
    assert failure.value.reason_code == "destination_unreachable"
    bucket.invalidate_cache()
    assert not bucket.exists("gsi")


def test_a_store_without_credentials(
    project: Settings, bucket: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
    type(bucket).clear_instance_cache()
    with pytest.raises(PublishError) as failure:
        export(project)
    assert failure.value.reason_code == "destination_credentials"


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("ftp://no-such-host.invalid", "destination_unreachable"),
        ("nosuch://x", "destination_unknown"),
    ],
)
def test_a_place_that_cannot_be_reached_fails_the_job(
    project: Settings, url: str, reason: str
) -> None:
    with pytest.raises(TerraFusionError):
        export_gis(COUNTY, {}, settings=project, progress=silent, destination=url)
    job = jobs_of(project)[-1]
    assert (job["status"], job["reason_code"]) == ("FAILED", reason)


def test_metadata_tell_the_terms(project: Settings, bucket: Any) -> None:
    made = export(project, license="CC BY 4.0")
    document = bucket.cat_file(f"{made.location.removeprefix('s3://')}/metadata.json")
    assert json.loads(document)["license"] == "CC BY 4.0"


def test_a_store_without_its_package() -> None:
    with pytest.raises(MissingDependencyError, match="no-such-store"):
        open_destination("no-such-store://bucket")
