"""The Ploomber seam: a pipeline of real notebooks, what runs side by side, and how it fails."""

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import psutil
import pytest

from terrafusion_lib.core.errors import ConfigError, GateError, RunError
from terrafusion_lib.pipelines.ploomber_dag import build, dag_specification
from tests.support.notebooks import printed, write_notebook
from tests.support.waiting import until

PIPELINE = """
meta: {extract_upstream: false, extract_product: false}
tasks:
  - {name: a, source: a.ipynb, product: "{{staging}}/a.ipynb", params: {county: "{{county}}"}}
  - {name: b, source: b.ipynb, product: "{{staging}}/b.ipynb", params: {county: "{{county}}"},
     upstream: [a]}
  - {name: c, source: c.ipynb, product: "{{staging}}/c.ipynb", params: {county: "{{county}}"},
     upstream: [a]}
  - {name: d, source: d.ipynb, product: "{{staging}}/d.ipynb", params: {county: "{{county}}"},
     upstream: [c]}
"""
MEET = """
import time
from pathlib import Path
Path("{own}").touch()
limit = time.monotonic() + 60
while not Path("{other}").exists():
    assert time.monotonic() < limit
    time.sleep(0.05)
"""
"""Ends only when another notebook runs at the same time."""
BUILD = """
import sys
from pathlib import Path
from terrafusion_lib.pipelines.ploomber_dag import build, dag_specification
project = Path(sys.argv[1])
values = {{"staging": str(project / "staging"), "county": "benton_wa"}}
specification = dag_specification(
    project / "pipeline.yaml", tasks={tasks}, values=values, fingerprints=dict.fromkeys("abcd", "")
)
build(specification, working_folder=project)
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "pipeline.yaml").write_text(PIPELINE)
    write_notebook(tmp_path / "a.ipynb", "print(county, fingerprint)")
    return tmp_path


def specification(project: Path, tasks: list[str]) -> dict:
    return dag_specification(
        project / "pipeline.yaml",
        tasks=tasks,
        values={"staging": str(project / "staging"), "county": "benton_wa"},
        fingerprints={name: f"f-{name}" for name in "abcd"},
    )


def test_tasks_outside_the_plan_leave_the_dag_with_their_upstreams(project: Path) -> None:
    kept = specification(project, ["b"])["tasks"]
    assert [task["name"] for task in kept] == ["b"]
    assert kept[0]["upstream"] == []
    assert kept[0]["params"] == {"county": "benton_wa", "fingerprint": "f-b"}
    assert kept[0]["source"] == str(project / "b.ipynb")


def test_an_unknown_task_and_a_placeholder_without_value_are_refused(project: Path) -> None:
    with pytest.raises(ConfigError, match="no task e"):
        specification(project, ["e"])
    with pytest.raises(ConfigError, match=r"\{\{county\}\}"):
        dag_specification(
            project / "pipeline.yaml", tasks=["a"], values={"staging": "x"}, fingerprints={"a": ""}
        )


@pytest.mark.slow
def test_two_tasks_are_built_and_a_failure_keeps_its_family_and_sentence(project: Path) -> None:
    source = (
        "from terrafusion_lib.core.errors import GateError\n"
        "raise GateError('Too many rows', county=county, count=12)"
    )
    write_notebook(project / "b.ipynb", source)
    with pytest.raises(GateError, match=r"Too many rows \(county benton_wa\). 12 affected"):
        build(specification(project, ["a", "b"]), working_folder=project)
    assert printed(project / "staging" / "a.ipynb") == "benton_wa f-a\n"
    assert (project / "staging" / "b.ipynb").is_file()


@pytest.mark.slow
def test_tasks_that_do_not_need_each_other_run_side_by_side(project: Path) -> None:
    write_notebook(project / "b.ipynb", MEET.format(own="b", other="c"))
    write_notebook(project / "c.ipynb", MEET.format(own="c", other="b"))
    build(specification(project, ["a", "b", "c"]), working_folder=project)
    assert (project / "staging" / "b.ipynb").is_file()
    assert (project / "staging" / "c.ipynb").is_file()


@pytest.mark.slow
def test_a_failure_leaves_out_what_depends_on_it_and_nothing_else(project: Path) -> None:
    write_notebook(project / "b.ipynb", "print('fine')")
    write_notebook(project / "c.ipynb", "raise ValueError('c is wrong')")
    write_notebook(project / "d.ipynb", "print('never')")
    before = {child.pid for child in psutil.Process().children(recursive=True)}
    with pytest.raises(RunError) as raised:
        build(specification(project, ["a", "b", "c", "d"]), working_folder=project)
    assert raised.value.what == "c is wrong"
    assert printed(project / "staging" / "b.ipynb") == "fine\n"
    assert not (project / "staging" / "d.ipynb").exists()
    assert {child.pid for child in psutil.Process().children(recursive=True)} == before


@pytest.mark.slow
def test_a_kernel_that_the_system_ends_is_told_with_its_step(project: Path) -> None:
    write_notebook(project / "b.ipynb", "import os\nos._exit(9)")
    with pytest.raises(RunError) as raised:
        build(specification(project, ["a", "b"]), working_folder=project)
    assert raised.value.step == "b"
    assert raised.value.hint == "terrafusion run <county> --resume"


@pytest.mark.slow
def test_kernels_import_before_their_turn_and_leave_no_name(project: Path) -> None:
    source = "import no_such_module" if False else "import sys\nprint('wave' in sys.modules, dir())"
    write_notebook(project / "b.ipynb", source)
    build(specification(project, ["a", "b"]), working_folder=project, early={"b": ["wave"]})
    imported, names = printed(project / "staging" / "b.ipynb").split(" ", 1)
    assert imported == "True"
    assert "suppress" not in names
    assert "wave" not in names


@pytest.mark.slow
def test_an_import_that_fails_is_told_by_its_own_cell(project: Path) -> None:
    write_notebook(project / "b.ipynb", "print('before')\nimport no_such_module")
    with pytest.raises(RunError) as raised:
        build(specification(project, ["a", "b"]), working_folder=project)
    assert "no_such_module" in raised.value.what
    assert printed(project / "staging" / "b.ipynb") == "before\n"


@pytest.mark.slow
def test_two_runs_at_once_leave_nothing_in_the_project(project: Path) -> None:
    write_notebook(project / "a.ipynb", MEET.format(own="staging/a", other="staging/c"))
    write_notebook(project / "c.ipynb", MEET.format(own="staging/c", other="staging/a"))
    (project / "staging").mkdir()
    there = set(project.iterdir())
    with tempfile.TemporaryDirectory(prefix="k") as sockets:
        runs = [started(project, [name], sockets) for name in "ac"]
        assert [run.wait() for run in runs] == [0, 0]
        assert not list(Path(sockets).iterdir())
    assert set(project.iterdir()) == there


@pytest.mark.slow
def test_ctrl_c_leaves_no_kernel(project: Path) -> None:
    write_notebook(project / "a.ipynb", "open('begun', 'w').close()\nimport time; time.sleep(600)")
    write_notebook(project / "b.ipynb", "print('never')")
    with tempfile.TemporaryDirectory(prefix="k") as sockets:
        run = started(project, ["a", "b"], sockets)
        until((project / "begun").exists)
        kernels = psutil.Process(run.pid).children(recursive=True)
        assert len(kernels) == 2
        run.send_signal(signal.SIGINT)
        assert run.wait(60) != 0
        assert not any(kernel.is_running() for kernel in kernels)
        assert not list(Path(sockets).iterdir())
    assert not (project / "staging" / "b.ipynb").exists()


def started(project: Path, tasks: list[str], sockets: str) -> subprocess.Popen[str]:
    """A process that builds tasks of the project."""
    return subprocess.Popen(
        [sys.executable, "-c", BUILD.format(tasks=tasks), str(project)],
        env=os.environ | {"TMPDIR": sockets},
        stderr=subprocess.DEVNULL,
        text=True,
    )
