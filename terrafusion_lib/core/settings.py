"""Settings of one installation: locations and stores.

Every setting is an environment variable with the prefix ``TERRAFUSION_`` (or a line in ``.env``
in the project root); by default everything runs embedded, with its data under the project root.
"""

import getpass
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


def find_root() -> Path:
    """Return the nearest parent of the working folder that holds ``county_configs``.

    Without one, the checkout that contains this package.
    """
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / "county_configs").is_dir():
            return folder
    return Path(__file__).resolve().parents[2]


class Settings(BaseSettings):
    """Immutable settings; build a new one to change it."""

    model_config = SettingsConfigDict(
        env_prefix="TERRAFUSION_", env_file=find_root() / ".env", extra="ignore", frozen=True
    )

    root: Path = Field(default_factory=find_root, description="Project root")
    data_dir: Path | None = Field(
        default=None, description="Folder for raw layer, steps and runs; default: data/"
    )
    config_dir: Path | None = Field(default=None, description="Default county_configs/")
    operational_url: str = Field(
        default="",
        description="SQLAlchemy URL of the operational database; default: SQLite in data/",
    )
    geometry_url: str = Field(
        default="", description="postgresql://… URL of PostGIS, or a reference; default: GeoParquet"
    )
    analytics_url: str = Field(
        default="",
        description="clickhouse://host/db, chdb:///folder, or a reference; default: DuckDB in "
        "data/",
    )
    exports_url: str = Field(
        default="",
        description="Folder or s3://bucket/prefix for GIS exports; default: exports/ in the "
        "county's folder",
    )
    exports_days: int = Field(default=7, ge=0, description="Days until an export expires; 0: never")
    user: str = Field(
        default_factory=getpass.getuser,
        description="User name for roles and the ledger; default: the operating system account",
    )
    duckdb_memory_limit: str = Field(
        default="1GB", description="Memory limit of the mapping engine"
    )
    threads: int = Field(default=2, ge=1, description="Threads per engine on a shared machine")

    @property
    def data_path(self) -> Path:
        return (self.data_dir or self.root / "data").resolve()

    @property
    def county_configs_path(self) -> Path:
        return (self.config_dir or self.root / "county_configs").resolve()

    @property
    def operational_database_url(self) -> str:
        return self.operational_url or f"sqlite:///{self.data_path / 'operational.db'}"

    @property
    def user_given(self) -> bool:
        """Whether a user name was given; otherwise the operating system account counts."""
        return "user" in self.model_fields_set

    def environment(self) -> dict[str, str]:
        """The environment variables that pass these settings to another process, such as a kernel.
        The operating system account is not passed on as if it were a given name.
        """
        left_out = None if self.user_given else {"user"}
        values = self.model_dump(mode="json", exclude_none=True, exclude=left_out)
        return {f"TERRAFUSION_{name.upper()}": str(value) for name, value in values.items()}

    def county_data(self, county_id: str) -> Path:
        """Folder for all derived data of one county."""
        return self.data_path / county_id


@contextmanager
def handed_on(environment: Mapping[str, str]) -> Iterator[None]:
    """Set these variables for processes started in the block; restore them afterward."""
    before = {name: os.environ.get(name) for name in environment}
    os.environ |= environment
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


@cache
def get_settings() -> Settings:
    """The process's settings, read once from the environment."""
    return Settings()
