"""Where the county is: cities, their tax areas and prices, outline, public land survey."""

from dataclasses import dataclass

import numpy as np

from terrafusion_lib.demo.columns import Floats, Ints
from terrafusion_lib.geo.crs import WGS84, mover

STATE_PLANE = "EPSG:2927"
"""Washington South, US survey feet: the county's own projected system."""
SECTION = 5280.0
FORTY = SECTION / 4
ACRE = 43_560.0

OUTLINE = (
    (-119.868, 45.925), (-119.30, 45.93), (-119.12, 45.932), (-118.992, 46.03),
    (-118.985, 46.12), (-119.03, 46.20), (-119.10, 46.222), (-119.20, 46.238),
    (-119.255, 46.28), (-119.262, 46.35), (-119.30, 46.43), (-119.868, 46.43),
)  # fmt: skip
"""Rough outline, WGS 84: the Columbia on the east, Yakima County's line on the west."""


@dataclass(frozen=True)
class City:
    """A city (or the county's unincorporated part) as lots, prices and taxes need it."""

    name: str
    latitude: float
    longitude: float
    lot_share: float
    price_level: float
    zips: tuple[str, ...]
    tax_areas: tuple[str, ...]
    grid_angle: float


CITIES = (
    City("Kennewick", 46.200, -119.160, 0.41, 0.96, ("99336", "99337", "99338"),
         ("K1", "K0", "K18"), 3.0),
    City("Richland", 46.275, -119.295, 0.29, 1.08, ("99352", "99354"),
         ("R1", "R2", "R3", "R5"), -14.0),
    City("West Richland", 46.300, -119.385, 0.10, 1.05, ("99353",), ("W1", "W6"), 6.0),
    City("Prosser", 46.205, -119.768, 0.06, 0.82, ("99350",), ("P1",), 21.0),
    City("Benton City", 46.262, -119.488, 0.04, 0.80, ("99320",), ("B1", "B4"), 0.0),
    City("Finley", 46.150, -119.050, 0.10, 0.86, ("99337",),
         ("1210", "1212", "1215", "1222"), 0.0),
)  # fmt: skip

RURAL_TAX_AREAS = ("1400", "1410", "1600", "1610", "1612", "1715")

TAX_AREA_RATES = {
    "K0": 7.8301, "K1": 7.9100, "K18": 8.8335, "R1": 9.2115, "R2": 8.2637, "R3": 9.1872,
    "R5": 9.1073, "W1": 10.5152, "W6": 7.8456, "P1": 10.4636, "B1": 7.8395, "B4": 7.4797,
    "1210": 6.1425, "1212": 8.1286, "1215": 6.8132, "1222": 7.7688, "1400": 8.5565,
    "1410": 8.8121, "1600": 8.5226, "1610": 8.7782, "1612": 10.7643, "1715": 8.5593,
}  # fmt: skip
"""Total rate of 2025 by tax code area, dollars per thousand."""

TAX_AREAS = tuple(TAX_AREA_RATES)

STREETS = (
    "CANAL", "VINEYARD", "COLUMBIA", "GRANDRIDGE", "ORCHARD", "HILDEBRAND", "SYLVESTER", "KELLOGG",
    "MONTANA", "OLYMPIA", "ROOSEVELT", "UNDERWOOD", "VANCOUVER", "YELM", "ZILLAH", "ARROWHEAD",
    "BENTWOOD", "CASCADE", "DESERT SAGE", "ELKHORN", "FOXTROT", "GOLDFINCH", "HAWTHORNE",
    "IRONWOOD", "JADWIN", "KEENE", "LEE", "MCMURRAY", "NEWCOMER", "PERKINS", "QUAIL RUN",
    "RIVERWOOD", "SAGEWOOD", "THAYER", "VAN GIESEN", "WRIGHT", "WINE COUNTRY", "MERLOT", "SYRAH",
    "CHARDONNAY", "RIESLING", "LESLIE", "GAGE", "STEPTOE", "CLEARWATER", "EDISON", "HOOD",
    "RAINIER", "ADAMS", "BAKER", "SHASTA", "TWIN PEAKS", "HORSE HEAVEN", "BADGER", "CANDY MOUNTAIN",
    "RED MOUNTAIN", "CHUKAR", "MEADOWLARK", "OSPREY", "PHEASANT",
)  # fmt: skip
SUFFIXES = ("AVE", "ST", "DR", "CT", "LN", "PL", "LOOP", "RD")
PREFIXES = (None, "W", "E", "N", "S")


@dataclass(frozen=True)
class Survey:
    """The lattice of sections: state-plane feet to township, range and section."""

    x0: float
    y0: float

    def section(self, x: Floats, y: Floats) -> tuple[Ints, Ints]:
        """Column and row of the section that holds each point."""
        return (
            np.floor((x - self.x0) / SECTION).astype(np.int64),
            np.floor((y - self.y0) / SECTION).astype(np.int64),
        )

    def name(self, column: Ints, row: Ints) -> tuple[Ints, Ints, Ints]:
        """Township (north), range (east) and section number 1 to 36, boustrophedon."""
        down = 5 - row % 6
        along = np.where(down % 2 == 0, 5 - column % 6, column % 6)
        return 5 + row // 6, 24 + column // 6, down * 6 + along + 1


def to_state_plane(longitude: Floats, latitude: Floats) -> tuple[Floats, Floats]:
    """WGS 84 degrees to state-plane feet."""
    x, y = mover(WGS84, STATE_PLANE)(np.column_stack([longitude, latitude])).T
    return x, y


def to_degrees(x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """State-plane feet to WGS 84 longitude and latitude."""
    longitude, latitude = mover(STATE_PLANE, WGS84)(np.column_stack([x, y])).T
    return longitude, latitude


def survey() -> Survey:
    """The lattice, its origin south-west of the county at a township corner."""
    x, y = to_state_plane(np.array([-119.90]), np.array([45.90]))
    return Survey(float(np.floor(x[0])), float(np.floor(y[0])))
