"""An analyst's JupyterLab behind the hub lists and opens the notebooks, with the network closed."""

from pathlib import Path
from typing import Any

import pytest

from tests.support.browser import browser_page
from tests.support.hub import hub

pytestmark = pytest.mark.browser


def test_jupyterlab_lists_and_opens_notebooks(
    finished_project: tuple[Any, dict[str, Any]], tmp_path: Path
) -> None:
    settings, _ = finished_project
    with (
        hub(settings, tmp_path / "hub.log") as address,
        browser_page(address, "ana", "terrafusion-demo") as page,
    ):
        page._page.wait_for_url("**/user/ana/lab**")
        page.open("/user/ana/lab/tree/10_connect.ipynb")
        page.wait_for(".jp-Notebook .jp-CodeCell")
        page.wait_for(".jp-DirListing-item:has-text('20_map.ipynb')")
        assert page.outside_requests == []
