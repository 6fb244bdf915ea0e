"""What kernels import before their turn: the notebook's imports and the step's heavy libraries."""

from importlib.util import find_spec
from pathlib import Path

import pytest

from terrafusion_lib.core.county import load_county
from terrafusion_lib.core.settings import get_settings
from terrafusion_lib.pipelines.early_imports import early_imports
from terrafusion_lib.pipelines.fingerprints import step_closure
from terrafusion_lib.pipelines.steps import TABLES, steps
from tests.support.notebooks import write_notebook


def test_imports_of_the_cells_are_taken_and_nothing_else(tmp_path: Path) -> None:
    notebook = tmp_path / "a.ipynb"
    write_notebook(notebook, "import json as j\nfrom wave import open\nprint(1 / 0)\nx = 1")
    names: dict[str, object] = {}
    exec(early_imports(notebook, ["colorsys", "no_such_module"]), names)
    assert {"j", "open", "colorsys"} <= names.keys()
    assert "x" not in names


def test_a_cell_that_is_not_plain_python_is_left_to_its_turn(tmp_path: Path) -> None:
    notebook = tmp_path / "a.ipynb"
    write_notebook(notebook, "%timeit 1\nimport wave")
    assert "wave" not in early_imports(notebook)


@pytest.mark.parametrize("name", steps())
def test_a_step_s_early_libraries_are_those_that_it_uses(name: str) -> None:
    spec = steps()[name]
    libraries = step_closure(spec, load_county("demo_wa", get_settings())).libraries
    roots = {module.partition(".")[0] for module in spec.early}
    assert all(find_spec(root) for root in roots)
    assert roots - {module.partition(".")[0] for module in TABLES} <= libraries
