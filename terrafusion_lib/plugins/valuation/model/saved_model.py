"""Fitted markets in one file that reproduces any parcel's value byte for byte.

The file is a NumPy archive of plain arrays and a JSON description of the dataclasses that hold
them. Unlike a pickle, reading it executes nothing.
"""

import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from terrafusion_lib.core.errors import ValuationError
from terrafusion_lib.plugins.valuation.model.boosting import Booster
from terrafusion_lib.plugins.valuation.model.comparables import ComparableFinder
from terrafusion_lib.plugins.valuation.model.design import Design, Scale
from terrafusion_lib.plugins.valuation.model.ensemble import Ensemble, FirstLevel, OutOfFold
from terrafusion_lib.plugins.valuation.model.equity import Calibration
from terrafusion_lib.plugins.valuation.model.hedonic import Hedonic
from terrafusion_lib.plugins.valuation.model.location import LocationSurface
from terrafusion_lib.plugins.valuation.model.market_model import MarketModel
from terrafusion_lib.plugins.valuation.model.markets import Market
from terrafusion_lib.plugins.valuation.model.uncertainty import Uncertainty
from terrafusion_lib.plugins.valuation.params import ValuationParams
from terrafusion_lib.plugins.valuation.subjects import Sales, Subjects

FORMAT = 5
FILE_NAME = "model.npz"
_PARTS = {
    part.__name__: part
    for part in (
        Booster,
        Calibration,
        ComparableFinder,
        Design,
        Ensemble,
        FirstLevel,
        Hedonic,
        LocationSurface,
        Market,
        MarketModel,
        OutOfFold,
        Sales,
        Scale,
        Uncertainty,
        Subjects,
    )
}


class _Writer:
    """Converts values to JSON with arrays apart; an array used twice is written once."""

    def __init__(self) -> None:
        self.arrays: list[NDArray[Any]] = []
        self._known: dict[int, Any] = {}
        self._kept: list[object] = []

    def write(self, value: Any) -> Any:
        if value is None or isinstance(value, bool | int | float | str):
            return value
        if id(value) not in self._known:
            self._kept.append(value)  # an id is valid only while its object lives
            self._known[id(value)] = self._new(value)
        return self._known[id(value)]

    def _new(self, value: Any) -> Any:
        if isinstance(value, np.ndarray):
            if value.dtype == object:
                return {"texts": value.tolist()}
            self.arrays.append(value)
            return {"array": len(self.arrays) - 1}
        if isinstance(value, ValuationParams):
            return {"params": value.model_dump(mode="json")}
        if isinstance(value, tuple):
            return {"tuple": [self.write(item) for item in value]}
        if isinstance(value, Mapping):
            return {"dict": {name: self.write(item) for name, item in value.items()}}
        if is_dataclass(value) and type(value).__name__ in _PARTS:
            parts = {field.name: self.write(getattr(value, field.name)) for field in fields(value)}
            return {"part": type(value).__name__, "fields": parts}
        raise TypeError(f"{type(value).__name__} cannot be saved")


def save_markets(path: Path, markets: Mapping[str, Market], about: Mapping[str, str]) -> None:
    """Write fitted markets with descriptive facts (run, county, versions)."""
    writer = _Writer()
    described = {"format": FORMAT, "about": dict(about), "markets": writer.write(dict(markets))}
    text = json.dumps(described).encode()
    arrays = {f"a{number}": array for number, array in enumerate(writer.arrays)}
    with path.open("wb") as file:
        np.savez(file, description=np.frombuffer(text, np.uint8), allow_pickle=False, **arrays)


def load_markets(path: Path) -> tuple[dict[str, Market], dict[str, str]]:
    """Fitted markets by name, and the stored facts.

    Raises
    ------
    ValuationError
        The file is not a saved model, or has another format.
    """
    try:
        with np.load(path, allow_pickle=False) as archive:
            described = json.loads(archive["description"].tobytes())
            if described["format"] != FORMAT:
                raise ValuationError(
                    f"{path} is a saved model of format {described['format']}, not {FORMAT}",
                    hint="value the county again with this version",
                )
            arrays = {name: archive[name] for name in archive.files}
            markets = _read(described["markets"], arrays)
    except (OSError, KeyError, ValueError) as error:
        raise ValuationError(f"{path} is not a saved model", cause=str(error)) from error
    return markets, described["about"]


def _read(value: Any, arrays: Mapping[str, NDArray[Any]]) -> Any:  # noqa: PLR0911 - one a kind
    match value:
        case {"array": number}:
            return arrays[f"a{number}"]
        case {"texts": texts}:
            return np.array(texts, dtype=object)
        case {"params": params}:
            return ValuationParams(**params)
        case {"tuple": items}:
            return tuple(_read(item, arrays) for item in items)
        case {"dict": items}:
            return {name: _read(item, arrays) for name, item in items.items()}
        case {"part": part, "fields": items}:
            return _PARTS[part](**{name: _read(item, arrays) for name, item in items.items()})
        case _:
            return value
