"""An analyst's JupyterLab behind the hub draws the same maps, with the network closed."""

from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from tests.support.browser import browser_page
from tests.support.hub import hub

MAP = """from terrafusion_lib.ui.dashboards import RunDashboard
RunDashboard("demo_wa").map"""

pytestmark = pytest.mark.browser


def test_a_map_is_drawn_in_jupyterlab(
    finished_project: tuple[Any, dict[str, Any]], tmp_path: Path
) -> None:
    settings, _ = finished_project
    notebook = new_notebook(cells=[new_code_cell(MAP)])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
    nbformat.write(notebook, settings.root / "notebooks" / "map.ipynb")
    with (
        hub(settings, tmp_path / "hub.log") as address,
        browser_page(address, "ana", "terrafusion-demo") as page,
    ):
        page._page.wait_for_url("**/user/ana/lab**")
        page.open("/user/ana/lab/tree/map.ipynb")
        page.wait_for(".jp-Notebook .jp-CodeCell")
        page.wait_for(".jp-DirListing-item:has-text('10_connect.ipynb')")
        page._page.click(".jp-Notebook .jp-CodeCell .cm-content")
        page._page.keyboard.press("Shift+Enter")
        page.wait_for(".jp-OutputArea canvas")
        assert page.colours_of_map() > 3
        page.screenshot(tmp_path / "lab.png")
        assert page.outside_requests == []
