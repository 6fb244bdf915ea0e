"""Versions of installed software, for the records of runs and jobs."""

from importlib.metadata import PackageNotFoundError, version

import terrafusion_lib

ENGINES = (
    "chdb",
    "clickhouse-connect",
    "duckdb",
    "great-expectations",
    "lightgbm",
    "numpy",
    "pyarrow",
    "scikit-learn",
    "shapely",
    "sqlalchemy",
)


def engine_versions() -> dict[str, str]:
    """Installed versions of TerraFusion and of the libraries that compute results."""
    return {"terrafusion": terrafusion_lib.__version__} | {
        name: installed_version(name) for name in ENGINES
    }


def installed_version(distribution: str) -> str:
    """Installed version of a distribution, if any."""
    try:
        return version(distribution)
    except PackageNotFoundError:
        return "absent"
