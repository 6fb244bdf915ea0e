"""``terrafusion export``: layers for a GIS office, from the command line."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from terrafusion_lib.cli_options import AsJson, County, Year, print_json

if TYPE_CHECKING:
    from terrafusion_lib.core.settings import Settings

export = typer.Typer(help="Layers for a GIS office.", no_args_is_help=True)
Many = list[str] | None


@export.command("gis")
def export_gis(
    county: County,
    export_format: Annotated[
        str | None, typer.Option("--format", help="Format; see terrafusion export formats")
    ] = None,
    layers: Annotated[str | None, typer.Option(help="Layers, comma separated")] = None,
    bbox: Annotated[
        str | None, typer.Option(help="west,south,east,north in WGS 84 degrees")
    ] = None,
    polygon: Annotated[Path | None, typer.Option(help="File whose polygons bound it")] = None,
    neighborhood: Annotated[Many, typer.Option(help="Neighbourhood (repeatable)")] = None,
    tax_area: Annotated[Many, typer.Option(help="Tax area (repeatable)")] = None,
    city: Annotated[Many, typer.Option(help="City (repeatable)")] = None,
    crs: Annotated[str | None, typer.Option(help="Such as EPSG:4326; default the county's")] = None,
    simplify: Annotated[float | None, typer.Option(help="Tolerance, feet")] = None,
    attributes: Annotated[str | None, typer.Option(help="Attributes, comma separated")] = None,
    to: Annotated[str | None, typer.Option(help="Folder or URL; default the county's")] = None,
    year: Year = None,
    estimate: Annotated[bool, typer.Option("--estimate", help="Count only; write nothing")] = False,
    as_json: AsJson = False,
) -> None:
    """Export layers of a county with their values, or say how large that would be."""
    from terrafusion_lib.core.settings import get_settings
    from terrafusion_lib.pipelines import gis_export_pipeline as pipeline

    settings = get_settings()
    area = {"bbox": bbox, "polygon": polygon, "neighborhood": neighborhood}
    area |= {"tax_area": tax_area, "city": city}
    given: dict[str, Any] = {
        "export_format": export_format,
        "layers": _listed(layers),
        "crs": crs,
        "simplify_feet": simplify,
        "attributes": _listed(attributes),
    }
    options = {name: value for name, value in given.items() if value is not None} | _area(area)
    permissions = _permissions(settings, county)
    if estimate:
        found = pipeline.estimate_gis_export(
            county, options, settings=settings, permissions=permissions, year=year
        )
        _show(found, as_json=as_json)
        return
    made = pipeline.export_gis(
        county, options, settings=settings, permissions=permissions, year=year, destination=to
    )
    if as_json:
        print_json(made.metadata)
        return
    print(f"{made.location}\n{made.records:,} records, {made.size_kb / 1024:,.1f} MB")
    for item in made.metadata["files"]:
        print(f"  {item['name']}  {int(item['bytes']):,} bytes  sha256 {item['sha256'][:16]}…")


@export.command("formats")
def export_formats() -> None:
    """The formats, and the coordinate system of those that prescribe one."""
    from terrafusion_lib.plugins.gis_export.format import format_sources, load_format

    for name in sorted(format_sources()):
        found = load_format(name)
        print(f"{name:18} {found.title}{f', always {found.crs}' if found.crs else ''}")


def _listed(text: str | None) -> list[str] | None:
    return None if text is None else [item.strip() for item in text.split(",") if item.strip()]


def _area(asked: dict[str, Any]) -> dict[str, Any]:
    """The area of interest as parameters.

    Raises
    ------
    ConfigError
        More than one is named, or the box is not four numbers.
    """
    from terrafusion_lib.core.errors import ConfigError
    from terrafusion_lib.pipelines.gis_export_pipeline import read_area

    named = {name: value for name, value in asked.items() if value}
    if len(named) > 1:
        raise ConfigError(
            "An export has one area of interest", examples=[f"--{name}" for name in named]
        )
    if not named:
        return {}
    ((name, value),) = named.items()
    if name == "polygon":
        return {"area": name, "polygon": read_area(value)}
    if name != "bbox":
        return {"area": name, "area_values": value}
    try:
        box = [float(edge) for edge in value.split(",")]
    except ValueError as error:
        raise ConfigError(
            f"{value} is no box", hint="--bbox west,south,east,north, in degrees"
        ) from error
    return {"area": name, "bbox": box}


def _permissions(settings: "Settings", county: str) -> list[str]:
    """What the person may see in the county, by its users file."""
    from terrafusion_lib.hub.rbac import group, may
    from terrafusion_lib.hub.users import all_users
    from terrafusion_lib.plugins.gis_export.attributes import VIEW_SENSITIVE

    known = all_users(settings).get(county)
    roles = [
        role
        for user in (known.users if known else ())
        if user.username == settings.user
        for role in user.roles
    ]
    groups = [group(county, role) for role in roles]
    return [VIEW_SENSITIVE] if may(groups, county, VIEW_SENSITIVE) else []


def _show(found: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(found)
        return
    for layer, records in found["records"].items():
        left = found["left_out"][layer]
        print(f"{layer:24} {records:,} records" + (f", {left:,} without a shape" if left else ""))
    print(f"about {found['bytes'] / 2**20:,.1f} MB")
