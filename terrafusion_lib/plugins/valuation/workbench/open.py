"""Opens a finished valuation with its models, to value any parcel immediately."""

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from terrafusion_lib.core.errors import RunError
from terrafusion_lib.plugins.api import PluginContext
from terrafusion_lib.plugins.valuation.model.markets import Market
from terrafusion_lib.plugins.valuation.model.saved_model import FILE_NAME, load_markets
from terrafusion_lib.plugins.valuation.sales.prepare import PROPERTY_COLUMNS
from terrafusion_lib.plugins.valuation.subjects import Origin
from terrafusion_lib.plugins.valuation.workbench.workbench import Workbench
from terrafusion_lib.results.reader import Results

if TYPE_CHECKING:
    import pyarrow as pa


def open_workbench(results: Results) -> Workbench:
    """The fitted models of a finished valuation, with the county's active properties.

    Raises
    ------
    RunError
        The results do not come from a step of the main job, so their models were not stored.
    """
    return _open(_file(results.folder, results.county_id), results.properties(PROPERTY_COLUMNS))


def workbench_of(context: PluginContext) -> Workbench:
    """The same for an action of the plugin; see `open_workbench`."""
    roll = context.read("properties_operational", PROPERTY_COLUMNS)
    return _open(_file(context.product, context.county_id), roll)


def markets_of(context: PluginContext) -> dict[str, Market]:
    """The fitted markets of the county's newest valuation; see `open_workbench`."""
    return load_markets(_file(context.product, context.county_id))[0]


def _file(folder: Path | None, county_id: str) -> Path:
    if folder is None or not (folder / FILE_NAME).is_file():
        raise RunError(
            "There is no fitted model to explore",
            county=county_id,
            hint=f"terrafusion run {county_id}",
        )
    return folder / FILE_NAME


def _open(path: Path, roll: "pa.Table") -> Workbench:
    markets, about = load_markets(path)
    day = date.fromisoformat(about["valuation_date"])
    origin = Origin(float(about["latitude"]), float(about["longitude"]))
    return Workbench.open(roll, day, markets, origin)
