"""Before a dashboard's kernel starts: the county asked for is checked and told to the notebook."""

from types import SimpleNamespace
from typing import Any

import jinja2
import nbformat
import pytest
from tornado.web import HTTPError

from terrafusion_lib.core.settings import Settings
from terrafusion_lib.hub import dashboard
from tests.support.require import ROOT


@pytest.fixture
def served(users_project: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setattr(dashboard, "get_settings", lambda: users_project)
    monkeypatch.setenv("JUPYTERHUB_SERVICE_PREFIX", "/services/dashboard/")
    return users_project


def _opened(username: str, county: str) -> dict[str, Any]:
    """What the notebook knows after the hook."""
    notebook = nbformat.read(ROOT / "dashboards" / dashboard.NOTEBOOK, as_version=4)
    handler = SimpleNamespace(
        current_user=SimpleNamespace(name=username),
        get_argument=lambda _name, default: county or default,
    )
    dashboard.choose_county(handler, notebook, "")
    known: dict[str, Any] = {}
    for cell in notebook.cells[:2]:
        exec(cell.source, known)
    return known


def test_the_notebook_is_told_the_county_and_who_looks(served: Settings) -> None:
    known = _opened("ann", "king_wa")
    assert known["county"] == "king_wa"
    assert known["user"] == "ann"
    assert _opened("ann", "")["county"] == ""


@pytest.mark.parametrize(
    ("username", "county"),
    [
        ("bob", "benton_wa"),
        ("bob", ""),
        ("nobody", "benton_wa"),
        ("ann", "demo_wa"),
        ("ann", "../x"),
    ],
)
def test_without_a_role_that_shows_the_county_it_is_403(
    served: Settings, username: str, county: str
) -> None:
    with pytest.raises(HTTPError) as refused:
        _opened(username, county)
    assert refused.value.status_code == 403


@pytest.mark.parametrize("user", [None, "ann"])
def test_alone_on_a_machine_it_is_whoever_works_there(
    users_project: Settings, monkeypatch: pytest.MonkeyPatch, user: str | None
) -> None:
    given = {"user": user} if user else {}
    alone = Settings(root=users_project.root, **given)
    monkeypatch.setattr(dashboard, "get_settings", lambda: alone)
    monkeypatch.delenv("JUPYTERHUB_SERVICE_PREFIX", raising=False)
    if user:
        assert _opened("whoever", "king_wa")["user"] == user
        return
    with pytest.raises(HTTPError) as refused:  # users are configured, and nobody said who it is
        _opened("whoever", "king_wa")
    assert refused.value.status_code == 403


def test_dashboards_show_no_traceback_and_idle_kernels_end(
    served: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dashboard.os, "environ", {})
    config = dashboard.voila_config(served, port=18866, prefix="/services/dashboard/")
    assert config.VoilaConfiguration.show_tracebacks is False
    assert config.MappingKernelManager.cull_idle_timeout == dashboard.CULL_SECONDS
    assert config.Voila.ip == "127.0.0.1"
    assert config.Voila.identity_provider_class is dashboard.HubIdentityProvider


def test_the_page_template_names_no_outside_address_of_its_own() -> None:
    template = dashboard.TEMPLATES / "voila/templates/terrafusion/index.html.j2"
    source = template.read_text(encoding="utf-8")
    assert source.count("https://") == source.count("replace(")
    assert jinja2.Environment(autoescape=True).parse(source)
