"""Kernels of a run: private, ready before their turn, and gone when the run is, however it ends."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from terrafusion_lib.core.errors import RunError
from terrafusion_lib.pipelines.kernels import AHEAD, Kernels
from terrafusion_lib.runs.notebook_runner import run_notebook
from tests.support.notebooks import printed, write_notebook
from tests.support.waiting import until


def children() -> set[int]:
    return {child.pid for child in psutil.Process().children(recursive=True)}


@pytest.fixture
def sockets(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder below which kernels put their sockets; its name is short."""
    with tempfile.TemporaryDirectory(prefix="k") as folder:
        monkeypatch.setattr(tempfile, "tempdir", folder)
        yield Path(folder)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    return folder


def test_sockets_lie_in_a_folder_of_this_user_alone(project: Path, sockets: Path) -> None:
    with Kernels(project, {"a": ""}) as kernels:
        kernel = kernels.take("a")
        folder = Path(kernel.ip).parent
        until(lambda: any(path.is_socket() for path in folder.iterdir()))
        assert folder.parent == sockets
        assert folder.stat().st_mode & 0o077 == 0
        assert not list(project.iterdir())
    assert not list(sockets.iterdir())


def test_sockets_are_reached_where_the_temporary_folder_has_a_long_name(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / ("long" * 30)
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    write_notebook(project / "a.ipynb", "print('done')")
    run_notebook(project / "a.ipynb", project / "executed.ipynb", folder=project)
    assert printed(project / "executed.ipynb") == "done\n"


def test_few_kernels_wait_and_those_given_back_end(project: Path, sockets: Path) -> None:
    before = children()
    with Kernels(project, dict.fromkeys("abcde", "")) as kernels:
        assert len(children() - before) == 1
        first = kernels.take("a")
        assert len(children() - before) == 1 + AHEAD
        kernels.give_back(first)
        until(lambda: len(children() - before) == AHEAD)
        kernels.take("b")
        assert len(children() - before) == 1 + AHEAD
    assert children() == before
    assert not list(sockets.iterdir())


def test_a_kernel_that_died_waiting_is_replaced(project: Path, sockets: Path) -> None:
    with Kernels(project, {"a": "import os; os._exit(3)"}) as kernels:
        waiting = kernels._ready["a"]
        until(lambda: not waiting.lives())
        taken = kernels.take("a")
        assert taken is not waiting
        assert taken.lives()
    assert not list(sockets.iterdir())


def test_killed_kernels_are_gone_and_no_more_are_given(project: Path, sockets: Path) -> None:
    before = children()
    with Kernels(project, dict.fromkeys("abc", "")) as kernels:
        kernels.take("a")
        kernels.kill()
        with pytest.raises(RunError):
            kernels.take("b")
    assert children() == before
    assert not list(sockets.iterdir())


@pytest.mark.slow
def test_a_single_notebook_leaves_no_kernel_and_no_socket(project: Path, sockets: Path) -> None:
    before = children()
    source, target = project / "a.ipynb", project / "executed.ipynb"
    write_notebook(source, "1 / 0")
    with pytest.raises(RunError, match="ZeroDivisionError"):
        run_notebook(source, target, folder=project)
    write_notebook(source, "print('done')")
    run_notebook(source, target, folder=project)
    assert set(project.iterdir()) == {source, target}
    assert children() == before
    assert not list(sockets.iterdir())
