"""Who gets in and who is kept out, on a real hub; what a supervisor sees, in a real browser."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.browser import Page, browser_page
from tests.support.hub import hub, login

PASSWORD = "terrafusion-demo"
DASHBOARD = "/services/dashboard/"

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def address(
    finished_project: tuple[Any, dict[str, Any]], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    settings, _ = finished_project
    with hub(settings, tmp_path_factory.mktemp("hub") / "hub.log") as running:
        yield running


@pytest.fixture(scope="module")
def page(address: str) -> Iterator[Page]:
    with browser_page(address, "sam", PASSWORD) as opened:
        yield opened


def test_a_supervisor_is_let_in_to_his_county_only(address: str) -> None:
    session = login(address, "sam", PASSWORD)
    own = session.get(f"{address}{DASHBOARD}?county=demo_wa")
    assert own.status_code == 200
    assert "Demo County" in own.text
    assert session.get(f"{address}{DASHBOARD}?county=king_wa").status_code == 403
    assert session.get(f"{address}/hub/spawn").status_code == 403


def test_a_clerk_is_kept_out(address: str) -> None:
    answer = login(address, "cleo", PASSWORD).get(f"{address}{DASHBOARD}?county=demo_wa")
    assert answer.status_code == 403
    assert "Demo County" not in answer.text


@pytest.mark.parametrize(("name", "password"), [("sam", "wrong password"), ("nobody", PASSWORD)])
def test_a_wrong_login_leads_back_to_the_form(address: str, name: str, password: str) -> None:
    answer = login(address, name, password).get(f"{address}{DASHBOARD}")
    assert "/hub/login" in answer.url
    assert "Demo County" not in answer.text


def test_an_analyst_gets_a_jupyterlab_of_his_own(address: str) -> None:
    session = login(address, "ana", PASSWORD)
    end = time.monotonic() + 60
    answer = session.get(f"{address}/hub/spawn")
    while "/user/ana/lab" not in answer.url and time.monotonic() < end:
        time.sleep(1)
        answer = session.get(f"{address}/user/ana/lab")
    assert answer.status_code == 200
    assert "JupyterLab" in answer.text
    assert login(address, "sam", PASSWORD).get(f"{address}/user/ana/lab").status_code in (403, 404)


def test_the_dashboard_shows_figures_charts_and_a_drawn_map(page: Page, tmp_path: Path) -> None:
    page.open(f"{DASHBOARD}?county=demo_wa")
    page.wait_for("text=assessment year 2026")
    page.wait_for("text=expectations passed")
    page.wait_for(".terrafusion svg")
    page.wait_for("canvas")
    assert page.colors_of_map() > 3
    page.screenshot(tmp_path / "dashboard.png")
    assert page.outside_requests == []


def test_a_filter_changes_the_ratio_study(page: Page) -> None:
    page.open(f"{DASHBOARD}?county=demo_wa")
    page.wait_for(".terrafusion svg")
    page.choose("group by", "property type")
    page.wait_for("td:text-is('residential')")


def test_an_error_is_a_sentence(page: Page) -> None:
    page.open(f"{DASHBOARD}?county=nowhere_wa", status=403)
    assert "Traceback" not in page.text()
