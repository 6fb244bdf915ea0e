"""Executes one notebook; the only file that imports papermill."""

import contextlib
from pathlib import Path
from typing import Any

from terrafusion_lib.core.errors import RunError
from terrafusion_lib.pipelines.private_kernel import PrivateKernel


def run_notebook(
    source: Path, target: Path, *, parameters: dict[str, Any] | None = None, folder: Path
) -> None:
    """Execute `source` in `folder` and write the executed notebook to `target`.

    Raises
    ------
    RunError
        A cell failed; `target` holds the notebook up to that cell.
    """
    import papermill

    kernel = PrivateKernel()
    try:
        papermill.execute_notebook(
            str(source),
            str(target),
            parameters=parameters or {},
            cwd=str(folder),
            km=kernel,
            progress_bar=False,
            log_output=False,
        )
    except papermill.PapermillExecutionError as error:
        raise RunError(
            f"{source.name}: {error.ename} {error.evalue}", hint=f"open {target}"
        ) from error
    finally:
        kernel.end()
        with contextlib.suppress(FileNotFoundError):
            _strip(target)


def _strip(path: Path) -> None:
    """Remove what papermill adds and what changes with every run: times and paths."""
    import nbformat

    notebook = nbformat.read(path, as_version=4)
    notebook.metadata.pop("papermill", None)
    for number, cell in enumerate(notebook.cells):
        cell["id"] = f"cell-{number}"
        for key in ("papermill", "execution"):
            cell.metadata.pop(key, None)
    nbformat.write(notebook, path)
