"""Imports for a notebook's kernel while it waits its turn."""

import ast
import json
from collections.abc import Iterable
from pathlib import Path


def early_imports(notebook: Path, modules: Iterable[str] = ()) -> str:
    """Code that imports what a notebook's cells import, and `modules`. A failing import is left to
    the cell that needs it.
    """
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    sources = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    imports = [line for source in sources for line in _imports(source)]
    lines = [*imports, *(f"import {name}" for name in modules)]
    return "from contextlib import suppress\n" + "".join(
        f"with suppress(Exception): {line}\n" for line in lines
    )


def _imports(source: str) -> list[str]:
    """Import statements of a cell; none if the cell is not plain Python."""
    try:
        statements = ast.parse(source).body
    except SyntaxError:
        return []
    return [
        ast.unparse(item) for item in statements if isinstance(item, ast.Import | ast.ImportFrom)
    ]
