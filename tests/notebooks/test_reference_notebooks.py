"""nbval: every committed notebook gives its committed outputs on the reference county."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from terrafusion_lib.core.settings import Settings
from terrafusion_lib.demo.reference_notebooks import prepare_reference
from tests.support.require import ROOT

NOTEBOOKS = sorted((ROOT / "notebooks").rglob("*.ipynb"))
MOST_CELLS = 12
MOST_LINES = 6


@pytest.mark.slow
def test_the_notebooks_reproduce_their_outputs(tmp_path: Path) -> None:
    environment = os.environ | prepare_reference(Settings(root=ROOT), tmp_path)
    command = [sys.executable, "-m", "pytest", "--nbval", "-p", "no:cacheprovider", "-q"]
    command += ["--nbval-sanitize-with", str(ROOT / "tests/notebooks/sanitize.cfg"), *NOTEBOOKS]
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-6000:]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_short_titled_and_parameterized(path: Path) -> None:
    cells = json.loads(path.read_text())["cells"]
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    assert "".join(cells[0]["source"]).startswith("# ")
    assert "parameters" in code[0]["metadata"].get("tags", [])
    assert len(code) <= MOST_CELLS
    assert all(len("".join(cell["source"]).splitlines()) <= MOST_LINES for cell in code)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_no_path_name_or_secret_of_a_machine_is_committed(path: Path) -> None:
    text = path.read_text()
    for secret in (str(Path.home()), str(ROOT), "/tmp/", "password"):
        assert secret not in text
    assert '"ename"' not in text
