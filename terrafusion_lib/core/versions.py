"""Versions of the installed software, for records of runs and jobs."""

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
    """Installed versions of TerraFusion and of the engines that results are computed with."""
    return {"terrafusion": terrafusion_lib.__version__} | {
        name: installed_version(name) for name in ENGINES
    }


def installed_version(distribution: str) -> str:
    """Installed version of a distribution; absent where there is none."""
    try:
        return version(distribution)
    except PackageNotFoundError:
        return "absent"
