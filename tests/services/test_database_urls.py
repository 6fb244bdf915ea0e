"""The usual forms of a PostgreSQL URL, in every setting, against a real server."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from terrafusion_lib.access.decide import SAID
from terrafusion_lib.core.errors import ConnectError
from terrafusion_lib.core.settings import Settings
from terrafusion_lib.geometry.store import open_geometry
from terrafusion_lib.store.store import open_store
from tests.support.parcel_rows import COUNTY, parcel_layer
from tests.support.require import ROOT, require

pytestmark = pytest.mark.postgres
FORMS = ("postgresql", "postgres", "postgresql+psycopg2")


def form_of(url: str, form: str) -> str:
    return f"{form}://{url.partition('://')[2]}"


@pytest.mark.parametrize("form", FORMS)
def test_the_operational_store_opens_by_every_form(postgres_url: str, form: str) -> None:
    with open_store(form_of(postgres_url, form)) as store:
        store.migrate()
        assert store.list_runs() == []


@pytest.mark.parametrize("form", FORMS)
def test_the_geometry_store_opens_by_every_form(postgres_url: str, form: str) -> None:
    found = list(Path("/usr/share/postgresql").glob("*/extension/postgis.control"))
    require(found, "PostGIS is not installed: apt-get install postgresql-postgis")
    store = open_geometry(Settings(geometry_url=form_of(postgres_url, form)))
    store.publish(parcel_layer(50))
    assert store.row_count(COUNTY) == 50


@pytest.mark.parametrize("form", [*FORMS, "postgresql+psycopg"])
def test_the_command_line_shows_no_traceback(postgres_url: str, form: str, tmp_path: Path) -> None:
    with open_store(postgres_url) as store:
        store.migrate()
    environment = os.environ | {
        "TERRAFUSION_OPERATIONAL_URL": form_of(postgres_url, form),
        "TERRAFUSION_DATA_DIR": str(tmp_path),
        SAID: "here",
        "PYTHONPATH": str(ROOT),
    }
    done = subprocess.run(
        [sys.executable, "-m", "terrafusion_lib.cli", "runs", "list"],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "Traceback" not in done.stderr
    if form in FORMS:
        assert (done.returncode, done.stderr) == (0, "")
    else:
        assert done.returncode == 2
        assert "Next: write postgresql:// instead of postgresql+psycopg://." in done.stderr


def test_an_option_that_the_driver_does_not_know_is_a_sentence(postgres_url: str) -> None:
    store = open_geometry(Settings(geometry_url=f"{postgres_url}?no_such_option=1"))
    with pytest.raises(ConnectError, match="no_such_option"):
        store.row_count(COUNTY)
