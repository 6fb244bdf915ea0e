"""A demo county for benchmarks: generated where it is not there yet."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from terrafusion_lib.core.settings import Settings, get_settings
from terrafusion_lib.demo.generate import generate

COUNTY = "demo_wa"


@contextmanager
def demo_county(parcels: int, data: Path | None) -> Iterator[Settings]:
    """Settings of a project with the demo county in `data`, or in a folder of its own."""
    with tempfile.TemporaryDirectory() as folder:
        place = data or Path(folder)
        if not (place / COUNTY / "truth").is_dir():
            generate(place / COUNTY, parcels=parcels)
        yield Settings(root=get_settings().root, data_dir=place, operational_url="", user="ana")
