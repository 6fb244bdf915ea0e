"""Parcel shapes that were invalid when the layer was published."""

import pyarrow.parquet as pq

from terrafusion_lib.core.settings import Settings
from terrafusion_lib.results.products import LOAD, SPECIALIZE, latest_record, product_folder

KEY = "geometry_id"
QUARANTINED = "quarantined_shapes.parquet"
REPAIRED = "repaired_shapes.parquet"
"""Files of the specialize step with the shapes it set aside and those it repaired."""


def unfit_shapes(
    settings: Settings, county_id: str, load_fingerprint: str | None
) -> frozenset[str] | None:
    """Keys of the shapes of a load that are empty, invalid or cannot be read.

    None if that load's shapes were not published and therefore not checked.
    """
    record = latest_record(settings, county_id, SPECIALIZE)
    if record is None or record.parts.get(f"step {LOAD}") != load_fingerprint:
        return None
    folder = product_folder(settings, county_id, SPECIALIZE, record.fingerprint)
    names: set[str] = set()
    for file in (QUARANTINED, REPAIRED):
        if not (folder / file).is_file():
            return None
        names |= set(pq.read_table(folder / file, columns=[KEY])[KEY].to_pylist())
    return frozenset(names)
