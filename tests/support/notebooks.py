"""Small notebooks for tests."""

import json
from pathlib import Path
from typing import Any


def write_notebook(path: Path, source: str) -> None:
    """A notebook with a cell of parameters (county, fingerprint) and one with `source`."""
    parameters = _cell('county = "none"\nfingerprint = ""', ["parameters"])
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    content = {
        "cells": [parameters, _cell(source, [])],
        "metadata": {"kernelspec": kernel},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    path.write_text(json.dumps(content), encoding="utf-8")


def printed(path: Path) -> str:
    """What the cells of an executed notebook printed."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    outputs = [output for cell in cells for output in cell.get("outputs", [])]
    return "".join("".join(output.get("text", "")) for output in outputs)


def _cell(text: str, tags: list[str]) -> dict[str, Any]:
    return {
        "cell_type": "code",
        "execution_count": None,
        "id": f"cell-{len(text)}",
        "metadata": {"tags": tags},
        "outputs": [],
        "source": text,
    }
