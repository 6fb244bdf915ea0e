"""``terrafusion demo``: the synthetic demo county."""

from typing import Annotated

import typer

from terrafusion_lib.cli.options import DEMO_COUNTY, require, settings
from terrafusion_lib.cli.run import options, run_and_show

group = typer.Typer(help="The synthetic demo county.", no_args_is_help=True)


@group.command("generate")
def demo_generate(
    parcels: Annotated[
        int, typer.Option(min=300, help="Active parcels; Benton has 80,000")
    ] = 20_000,
    year: Annotated[int, typer.Option(help="Appraisal year")] = 2026,
    seed: Annotated[
        int, typer.Option(help="Random seed; the same seed gives the same county")
    ] = 20_260_101,
) -> None:
    """Generate the demo county's PACS database, parcel layer and truth file."""
    from terrafusion_lib.core.progress import LineProgress
    from terrafusion_lib.demo.generate import generate

    folder = settings().county_data(DEMO_COUNTY)
    report = generate(folder, parcels=parcels, year=year, seed=seed, progress=LineProgress())
    print(report)


@group.command("files")
def demo_files(
    county: Annotated[str, typer.Argument(help="prairie_tx or harbor_ma")],
) -> None:
    """Write the invented files of a county that is not in Washington, for its run."""
    from terrafusion_lib.demo.files.counties import write_files

    require(county, "pipeline:run")
    folder = settings().county_data(county) / "source"
    write_files(county, folder)
    print(f"{folder}: {len(list(folder.iterdir()))} files")


@group.command("run")
def demo_run(
    parcels: Annotated[
        int, typer.Option(min=300, help="Active parcels; Benton has 80,000")
    ] = 20_000,
) -> None:
    """Generate the demo county unless it exists in that size, then run the main job."""
    from terrafusion_lib.demo.generate import generated_parcels

    require(DEMO_COUNTY, "pipeline:run")
    if generated_parcels(settings().county_data(DEMO_COUNTY)) != parcels:
        demo_generate(parcels)
    run_and_show(DEMO_COUNTY, options(None, None, None, None, note="demo"))
