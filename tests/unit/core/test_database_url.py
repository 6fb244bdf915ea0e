"""Every usual form of a database URL is understood; others are told in a sentence."""

import sys

import pytest

from terrafusion_lib.core.database_url import database_url
from terrafusion_lib.core.errors import ConfigError, MissingDependencyError
from terrafusion_lib.core.settings import Settings
from terrafusion_lib.geometry.store import open_geometry
from terrafusion_lib.store.store import open_store

REST = "loader:s3cret@db.example.gov:5433/cama"


def parsed(text: str) -> str:
    url = database_url(text, setting="TERRAFUSION_X_URL", hint="postgresql://…")
    return url.render_as_string(hide_password=False)


@pytest.mark.parametrize("form", ["postgresql", "postgres", "postgresql+psycopg2"])
def test_the_usual_forms_are_one(form: str) -> None:
    assert parsed(f"{form}://{REST}") == f"postgresql+psycopg2://{REST}"
    store = open_store(f"{form}://{REST}")
    assert store.engine.dialect.driver == "psycopg2"
    geometry = open_geometry(Settings(geometry_url=f"{form}://{REST}"))
    assert geometry._options["host"] == "db.example.gov"
    assert (geometry._options["port"], geometry._options["password"]) == (5433, "s3cret")


def test_sqlite_stays_sqlite() -> None:
    assert parsed("sqlite:////data/x.db") == "sqlite+pysqlite:////data/x.db"


def test_the_url_or_its_password_may_be_a_reference(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PG_PASSWORD", "s3cret")
    monkeypatch.setenv("PG_URL", f"postgres://{REST}")
    asked = "postgresql://loader:env:PG_PASSWORD@db.example.gov:5433/cama"
    assert parsed(asked) == parsed("env:PG_URL") == f"postgresql+psycopg2://{REST}"
    assert open_store("env:PG_URL").url.password == "s3cret"


def test_a_socket_and_options_of_the_driver_reach_postgis() -> None:
    geometry = open_geometry(
        Settings(geometry_url="postgresql:///gis?host=/var/run/postgresql&sslmode=require")
    )
    assert geometry._options["host"] == "/var/run/postgresql"
    assert geometry._options["sslmode"] == "require"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (f"postgresql+psycopg://{REST}", r"driver psycopg; .* psycopg2 .*write postgresql://"),
        (f"postgresql+asyncpg://{REST}", r"driver asyncpg; .*write postgresql://"),
        (f"mysql://{REST}", "another kind of database: mysql"),
        ("postgresql://loader:s3cret@db:port/x", "is not a database URL"),
        ("s3cret", "is not a database URL"),
    ],
)
def test_another_driver_or_database_is_a_sentence_without_the_password(
    text: str, message: str
) -> None:
    with pytest.raises(ConfigError, match=message) as failure:
        parsed(text)
    assert "TERRAFUSION_X_URL" in str(failure.value)
    assert "s3cret" not in str(failure.value)


def test_a_driver_that_is_not_installed_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg2", None)
    with pytest.raises(MissingDependencyError, match="PostgreSQL needs the package psycopg2-bin"):
        parsed(f"postgresql://{REST}")
