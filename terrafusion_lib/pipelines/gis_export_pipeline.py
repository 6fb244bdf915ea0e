"""GIS exports: the job around the plugin, and where its files go."""

import json
import uuid
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from terrafusion_lib.access.decide import require
from terrafusion_lib.core.config import parse
from terrafusion_lib.core.county import CountyConfig, load_county
from terrafusion_lib.core.progress import LineProgress, Progress
from terrafusion_lib.core.settings import Settings, get_settings
from terrafusion_lib.pipelines.gis_export_job import PLUGIN, Export, ExportJob, Reader
from terrafusion_lib.pipelines.step import utc_now
from terrafusion_lib.plugins.gis_export.errors import AREA_INVALID, ExportError
from terrafusion_lib.plugins.gis_export.params import GisExportParams
from terrafusion_lib.plugins.gis_export.plan import make_plan
from terrafusion_lib.plugins.gis_export.plugin import plugin
from terrafusion_lib.plugins.gis_export.select.area_shape import feature_of
from terrafusion_lib.store.decisions import require_audited
from terrafusion_lib.store.store import open_store


def export_gis(
    county_id: str,
    options: Mapping[str, Any] | None = None,
    *,
    settings: Settings | None = None,
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
    results_run_id : str, optional
        Run whose values are exported; that of the county's promoted run when None.
    destination : str, optional
        Folder or URL; the setting ``exports_url`` when None.

    Raises
    ------
    ConfigError
        The county or a parameter is not valid; no job is made.
    AccessDeniedError
        The person may not export from the county; no job is made. Personal data need
        ``reporting:view_sensitive`` besides.
    ExportError
        The export failed and its job says why; nothing of it is visible.
    """
    settings = settings or get_settings()
    county = load_county(county_id, settings)
    params = _params(county, options)
    with open_store(settings.operational_database_url) as store:
        store.migrate()
        granted = require_audited(store, settings, county_id, *plugin.permissions, at=clock())
        work = ExportJob(
            str(uuid.uuid4()), county, params, settings, store, clock,
            url=destination or _own_url(county, settings),
            own=destination is None,
            results_run_id=results_run_id or current_results(county, settings, year),
        )  # fmt: skip
        return work.export(granted, year, progress or LineProgress())


def estimate_gis_export(
    county_id: str,
    options: Mapping[str, Any] | None = None,
    *,
    settings: Settings | None = None,
    year: int | None = None,
    results_run_id: str | None = None,
) -> dict[str, Any]:
    """Records by layer, and bytes within a factor of two or so, before anything is written.

    Raises
    ------
    AccessDeniedError
        The person may not export from the county.
    ExportError
        The export would be refused; `reason_code` says why.
    """
    settings = settings or get_settings()
    county = load_county(county_id, settings)
    params = _params(county, options)
    granted = require(settings, county_id, *plugin.permissions)
    with open_store(settings.operational_database_url) as store:
        run_id = results_run_id or current_results(county, settings, year)
        reader = Reader(settings, store, county_id, run_id)
        plan = make_plan(reader.context(county, "estimate", granted, year), params)
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
    AccessDeniedError
        The person may not export from the job's county.
    RunError
        There is no such job.
    """
    settings = settings or get_settings()
    with open_store(settings.operational_database_url) as store:
        require(settings, store.get_job(job_id)["county_id"], *plugin.permissions)
        return store.end_job(
            job_id,
            "CANCELLED",
            now=clock(),
            reason_code="cancelled",
            message=f"Cancelled by {settings.user}",
        )


def read_area(path: Path) -> dict[str, Any]:
    """The polygons of a file (any format that GDAL reads) as one GeoJSON feature in WGS 84.

    Invalid polygons (a ring crosses itself) are repaired; ``polygons_repaired`` counts them.

    Raises
    ------
    ExportError
        The file cannot be read, names no coordinate system, or holds nothing.
    """
    import pyogrio

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
    shapes = frame.geometry[frame.geometry.notna()].to_crs("EPSG:4326").to_numpy()
    return feature_of(shapes)


def current_results(county: CountyConfig, settings: Settings, year: int | None) -> str | None:
    """Run that made the values of the county's promoted run.

    None before the first, and where the promoted run valued another year than the one exported.
    """
    base = settings.county_data(county.county_id)
    pointer = base / "CURRENT"
    if not pointer.is_file():
        return None
    summary = base / "runs" / pointer.read_text(encoding="utf-8").strip() / "run.json"
    if not summary.is_file():
        return None
    run = json.loads(summary.read_text(encoding="utf-8"))
    asked = year or county.assessment_year
    if run.get("assessment_year", asked) != asked:
        return None
    found: str | None = run["results_run_id"]
    return found


def _params(county: CountyConfig, options: Mapping[str, Any] | None) -> GisExportParams:
    own = {"geometry": county.geometry.model_dump()} | county.plugins.get(PLUGIN, {})
    given = own | dict(options or {})
    return parse(GisExportParams, given, where=f"{county.county_id} plugins.{PLUGIN}")


def _own_url(county: CountyConfig, settings: Settings) -> str:
    """Where the county's exports go unless a person names another place."""
    if settings.exports_url:
        return f"{settings.exports_url.rstrip('/')}/{county.county_id}"
    return str(settings.county_data(county.county_id) / "exports")
