"""GIS exports: the job around the plugin, and where its files go."""

import json
import uuid
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from terrafusion_lib.core.config import parse
from terrafusion_lib.core.county import CountyConfig, load_county
from terrafusion_lib.core.progress import LineProgress, Progress
from terrafusion_lib.core.settings import Settings, get_settings
from terrafusion_lib.pipelines.fingerprints import engine_versions
from terrafusion_lib.pipelines.gis_export_job import Export, ExportJob, Reader, Watch
from terrafusion_lib.pipelines.step import utc_now
from terrafusion_lib.plugins.gis_export.destination import open_destination
from terrafusion_lib.plugins.gis_export.errors import AREA_INVALID, ExportError
from terrafusion_lib.plugins.gis_export.params import GisExportParams
from terrafusion_lib.plugins.gis_export.plan import make_plan
from terrafusion_lib.store.store import open_store

PLUGIN = "gis_export"


def export_gis(
    county_id: str,
    options: Mapping[str, Any] | None = None,
    *,
    settings: Settings | None = None,
    permissions: Iterable[str] = (),
    year: int | None = None,
    results_run_id: str | None = None,
    destination: str | None = None,
    progress: Progress | None = None,
    clock: Callable[[], datetime] = utc_now,
) -> Export:
    """Export layers of a county, as a job.

    Parameters
    ----------
    options : mapping, optional
        Parameters (`GisExportParams`) over the county's ``plugins.gis_export``.
    permissions : iterable of str
        What the person may do in the county; personal data need ``reporting:view_sensitive``.
    results_run_id : str, optional
        Run whose values are exported; that of the county's promoted run when None.
    destination : str, optional
        Folder or URL; the setting ``exports_url`` when None.

    Raises
    ------
    ConfigError
        The county or a parameter is not valid; no job is made.
    ExportError
        The export failed and its job says why; nothing of it is visible.
    """
    settings = settings or get_settings()
    county = load_county(county_id, settings)
    params = _params(county, options)
    job_id = str(uuid.uuid4())
    with open_store(settings.operational_database_url) as store:
        store.migrate()
        work = ExportJob(
            job_id, county, params, settings, store, clock,
            place=open_destination(_url(county, settings, destination)),
            results_run_id=results_run_id or current_results(settings, county_id),
        )  # fmt: skip
        work.clear()
        with store.job(
            PLUGIN,
            county_id=county_id,
            username=settings.user,
            parameters=params.model_dump(mode="json"),
            versions=engine_versions(),
            clock=clock,
            job_id=job_id,
            export_format=params.export_format,
            area_of_interest_json=json.dumps(
                params.model_dump(mode="json", include={"area", "bbox", "polygon", "area_values"})
            ),
            layers_json=json.dumps(params.layers),
        ) as job:
            watch = Watch(progress or LineProgress(), work)
            export = work.run(work.context(permissions, year, watch), watch)
            job |= {
                "result_location": export.location,
                "result_file_location": export.location,
                "result_file_size_kb": export.size_kb,
                "result_record_count": export.records,
            }
    return export


def estimate_gis_export(
    county_id: str,
    options: Mapping[str, Any] | None = None,
    *,
    settings: Settings | None = None,
    permissions: Iterable[str] = (),
    year: int | None = None,
    results_run_id: str | None = None,
) -> dict[str, Any]:
    """Records by layer, and bytes within a factor of two or so, before anything is written.

    Raises
    ------
    ExportError
        The export would be refused; `reason_code` says why.
    """
    settings = settings or get_settings()
    county = load_county(county_id, settings)
    params = _params(county, options)
    with open_store(settings.operational_database_url) as store:
        run_id = results_run_id or current_results(settings, county_id)
        reader = Reader(store, county_id, run_id)
        plan = make_plan(reader.context(county, "estimate", permissions, year), params)
    return {
        "records": {layer.name: layer.records for layer in plan.layers},
        "left_out": {layer.name: layer.left_out for layer in plan.layers},
        "bytes": plan.estimated_bytes,
    }


def cancel_gis_export(
    job_id: str, *, settings: Settings | None = None, clock: Callable[[], datetime] = utc_now
) -> bool:
    """Cancel a job; it stops before its next batch. False when it had ended before.

    Raises
    ------
    RunError
        There is no such job.
    """
    settings = settings or get_settings()
    with open_store(settings.operational_database_url) as store:
        return store.end_job(
            job_id,
            "CANCELLED",
            now=clock(),
            reason_code="cancelled",
            message=f"Cancelled by {settings.user}",
        )


def read_area(path: Path) -> dict[str, Any]:
    """The polygons of a file (any format that GDAL reads) as GeoJSON in WGS 84.

    Raises
    ------
    ExportError
        The file cannot be read, names no coordinate system, or holds nothing.
    """
    import pyogrio
    from shapely.geometry import mapping

    try:
        frame = pyogrio.read_dataframe(path)
    except (RuntimeError, OSError) as error:
        raise ExportError(
            f"{path} cannot be read as an area of interest: {error}", reason_code=AREA_INVALID
        ) from error
    if len(frame) == 0 or frame.crs is None:
        raise ExportError(
            f"{path} holds no polygon" if frame.crs else f"{path} names no coordinate system",
            reason_code=AREA_INVALID,
            hint="save it with its coordinate system, as GeoPackage or GeoJSON",
        )
    whole = frame.to_crs("EPSG:4326").geometry.union_all()
    found: dict[str, Any] = json.loads(json.dumps(mapping(whole)))
    return found


def current_results(settings: Settings, county_id: str) -> str | None:
    """Run that made the values of the county's promoted run; None before the first."""
    base = settings.county_data(county_id)
    pointer = base / "CURRENT"
    if not pointer.is_file():
        return None
    summary = base / "runs" / pointer.read_text(encoding="utf-8").strip() / "run.json"
    if not summary.is_file():
        return None
    found: str | None = json.loads(summary.read_text(encoding="utf-8"))["results_run_id"]
    return found


def _params(county: CountyConfig, options: Mapping[str, Any] | None) -> GisExportParams:
    given = county.plugins.get(PLUGIN, {}) | dict(options or {})
    return parse(GisExportParams, given, where=f"{county.county_id} plugins.{PLUGIN}")


def _url(county: CountyConfig, settings: Settings, destination: str | None) -> str:
    if destination:
        return destination
    if settings.exports_url:
        return f"{settings.exports_url.rstrip('/')}/{county.county_id}"
    return str(settings.county_data(county.county_id) / "exports")
