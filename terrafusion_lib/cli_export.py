"""``terrafusion export``: layers for a GIS office, from the command line."""

import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from terrafusion_lib.cli_options import AsJson, County, Year, print_json

if TYPE_CHECKING:
    from terrafusion_lib.core.settings import Settings
    from terrafusion_lib.pipelines.gis_export_job import Export

RUN = "gis_export:run"
"""Permission that the plugin declares."""
export = typer.Typer(help="Layers for a GIS office.", no_args_is_help=True)
Many = list[str] | None


@export.command("gis")
def export_gis(
    county: County,
    export_format: Annotated[
        str | None, typer.Option("--format", help="Format; the command export formats lists them")
    ] = None,
    layers: Annotated[
        str | None, typer.Option(help="Comma separated; the command export layers lists them")
    ] = None,
    bbox: Annotated[
        str | None, typer.Option(help="west,south,east,north in WGS 84 degrees")
    ] = None,
    polygon: Annotated[Path | None, typer.Option(help="File whose polygons bound it")] = None,
    neighborhood: Annotated[Many, typer.Option(help="Neighborhood (repeatable)")] = None,
    tax_area: Annotated[Many, typer.Option(help="Tax area (repeatable)")] = None,
    city: Annotated[Many, typer.Option(help="City (repeatable)")] = None,
    crs: Annotated[str | None, typer.Option(help="Such as EPSG:4326; default the county's")] = None,
    simplify: Annotated[float | None, typer.Option(help="Tolerance, feet")] = None,
    attributes: Annotated[str | None, typer.Option(help="Attributes, comma separated")] = None,
    zooms: Annotated[
        str | None, typer.Option(help="For pmtiles: first-last zoom, such as 9-15")
    ] = None,
    to: Annotated[
        str | None, typer.Option(help="Folder or URL, never swept; default the county's")
    ] = None,
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
    } | _zooms(zooms)
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
    _show_made(made, as_json=as_json)


def _show_made(made: "Export", *, as_json: bool) -> None:
    if as_json:
        print_json(made.metadata)
        return
    print(f"{made.location}\n{made.records:,} records, {made.size_kb / 1024:,.1f} MB")
    for layer in made.metadata["layers"]:
        print(f"{layer['name']:24} {layer['records']:,} records")
        _show_left_out(layer["left_out"])
        if layer["shapes_repaired"]:
            print(f"  repaired: {layer['shapes_repaired']:,} invalid parcel shapes")
    for item in made.metadata["files"]:
        print(f"  {item['name']}  {int(item['bytes']):,} bytes  sha256 {item['sha256'][:16]}…")


@export.command("formats")
def export_formats() -> None:
    """The formats, and the coordinate system of those that prescribe one."""
    from terrafusion_lib.plugins.gis_export.format import FORMATS, load_format

    for name in FORMATS.names():
        found = load_format(name)
        print(f"{name:18} {found.title}{f', always {found.crs}' if found.crs else ''}")


@export.command("layers")
def export_layers(as_json: AsJson = False) -> None:
    """The layers, what they show, and their attributes."""
    from terrafusion_lib.plugins.gis_export.select.layers import LAYERS

    if as_json:
        print_json(
            {
                layer.name: {
                    "meaning": layer.meaning,
                    "attributes": {item.name: item.column.meaning for item in layer.attributes},
                    "personal": [item.name for item in layer.attributes if item.personal],
                }
                for layer in LAYERS.values()
            }
        )
        return
    for layer in LAYERS.values():
        print(f"{layer.name:20} {layer.meaning}")
        names = ", ".join(item.name + "*" * item.personal for item in layer.attributes)
        print(textwrap.fill(names, 96, initial_indent=" " * 4, subsequent_indent=" " * 4))
    print("* about a person: only for roles with reporting:view_sensitive, and asked for by name")


def _listed(text: str | None) -> list[str] | None:
    return None if text is None else [item.strip() for item in text.split(",") if item.strip()]


def _zooms(text: str | None) -> dict[str, int]:
    """First and last zoom as parameters.

    Raises
    ------
    ConfigError
        The text is not two numbers.
    """
    from terrafusion_lib.core.errors import ConfigError

    if text is None:
        return {}
    first, _, last = text.partition("-")
    if not (first.strip().isdecimal() and last.strip().isdecimal()):
        raise ConfigError(f"{text} are no zooms", hint="--zooms first-last, such as 9-15")
    return {"min_zoom": int(first), "max_zoom": int(last)}


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


def _permissions(settings: "Settings", county: str) -> frozenset[str]:
    """What the person may do in the county.

    The users file decides by name. Whom it does not name is refused when the name was given with
    ``TERRAFUSION_USER``; the account of the operating system may export on its own machine, and
    sees no personal data. So it is where a county has no users file.

    Raises
    ------
    AccessDeniedError
        The name given is no user of the county.
    """
    from terrafusion_lib.access.roles import permissions_in
    from terrafusion_lib.access.users import all_users, groups_of
    from terrafusion_lib.core.errors import AccessDeniedError

    known = all_users(settings).get(county)
    names = [user.username for user in known.users] if known else []
    if settings.user in names:
        return permissions_in(groups_of(settings.user, settings), county)
    if known and "user" in settings.model_fields_set:
        raise AccessDeniedError(
            f"{settings.user}, the name in TERRAFUSION_USER, is no user of the county",
            county=county,
            hint=f"terrafusion users list {county}",
        )
    return frozenset({RUN})


def _show(found: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(found)
        return
    for layer, records in found["records"].items():
        print(f"{layer:24} {records:,} records")
        _show_left_out(found["left_out"][layer])
    print(f"about {found['bytes'] / 2**20:,.1f} MB")


def _show_left_out(counts: dict[str, int]) -> None:
    """What has no record, by reason: 80 properties without a parcel shape."""
    for reason, count in counts.items():
        print(f"  left out: {count:,} {reason}")
