"""The invented counties that come as files."""

from collections.abc import Callable
from pathlib import Path

from terrafusion_lib.core.config import did_you_mean
from terrafusion_lib.core.errors import ConfigError
from terrafusion_lib.demo.files import massachusetts, texas

COUNTIES: dict[str, Callable[[Path], None]] = {
    texas.COUNTY: texas.write_texas,
    massachusetts.COUNTY: massachusetts.write_massachusetts,
}


def write_files(county_id: str, folder: Path) -> None:
    """Write a county's files, the same in every run, over those that are there.

    Raises
    ------
    ConfigError
        It is none of these counties.
    """
    if county_id not in COUNTIES:
        raise ConfigError(
            f"There are no invented files of {county_id!r}",
            examples=list(COUNTIES),
            hint=did_you_mean(county_id, COUNTIES) or "terrafusion demo generate makes demo_wa",
        )
    COUNTIES[county_id](folder)
