"""The committed notebooks: executed on a small demo county that is the same everywhere."""

import tempfile
from collections.abc import Sequence
from pathlib import Path

from terrafusion_lib.core.errors import RunError
from terrafusion_lib.core.settings import Settings, handed_on
from terrafusion_lib.runs.notebook_runner import run_notebook

WIDGET = "application/vnd.jupyter.widget-view+json"
REFERENCE_PARCELS = 3_000


def prepare_reference(settings: Settings, data_dir: Path) -> dict[str, str]:
    """Generate the small demo county below `data_dir`; returns the environment that uses it."""
    from terrafusion_lib.demo.generate import generate

    generate(data_dir / "demo_wa", parcels=REFERENCE_PARCELS)
    reference = Settings(root=settings.root, data_dir=data_dir, operational_url="", user="ana")
    return reference.environment()


def refresh(settings: Settings, only: Sequence[str] = ()) -> list[Path]:
    """Run the notebooks in their order on the reference county and rewrite them with outputs.

    Raises
    ------
    RunError
        A notebook failed or is unknown; the files that came before it are already rewritten.
    """
    paths = sorted((settings.root / "notebooks").rglob("*.ipynb"))
    unknown = set(only) - {path.stem for path in paths}
    if unknown:
        raise RunError(f"No notebook {min(unknown)}", examples=[path.stem for path in paths])
    written = []
    with (
        tempfile.TemporaryDirectory(prefix="terrafusion-reference-") as folder,
        handed_on(prepare_reference(settings, Path(folder))),
    ):
        for path in paths:
            executed = Path(folder) / path.name
            run_notebook(path, executed, folder=path.parent)
            if not only or path.stem in only:
                path.write_text(_without_widgets(executed), encoding="utf-8")
                written.append(path)
    return written


def _without_widgets(path: Path) -> str:
    """A notebook without its maps, which would make it megabytes and differ at every run."""
    import nbformat

    notebook = nbformat.read(path, as_version=4)
    notebook.metadata.pop("widgets", None)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = [
                output for output in cell.outputs if WIDGET not in output.get("data", {})
            ]
    text: str = nbformat.writes(notebook)
    return text + "\n"
