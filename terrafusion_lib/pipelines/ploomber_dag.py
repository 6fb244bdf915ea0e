"""The Ploomber seam: the only file that imports it.

Ploomber sees the notebooks as one DAG (``pipeline.yaml``), injects each task's parameters and
executes the notebooks with papermill in the order of their upstreams. Its own up-to-date check
sees neither the code nor the data behind a notebook, so the run's plan decides what runs: tasks
with a current stored product are left out of the DAG, the others are built.
"""

import contextlib
import io
import json
import logging
import os
import warnings
from collections.abc import Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml

from terrafusion_lib.core import errors
from terrafusion_lib.core.config import read_yaml
from terrafusion_lib.core.errors import ConfigError, RunError, TerraFusionError
from terrafusion_lib.pipelines.early_imports import early_imports
from terrafusion_lib.pipelines.kernels import Kernels

AT_ONCE = 2
"""Maximum notebooks running in parallel."""

Task = dict[str, Any]
logger = logging.getLogger("terrafusion.ploomber")


def dag_specification(
    pipeline: Path,
    *,
    tasks: list[str],
    values: dict[str, str],
    fingerprints: dict[str, str],
    of_plugins: Mapping[str, Task] | None = None,
) -> dict[str, Any]:
    """The DAG of `tasks` only, with every ``{{name}}`` of the pipeline file filled in.

    Parameters
    ----------
    pipeline : Path
        ``pipeline.yaml``; sources are resolved relative to its folder.
    tasks : list of str
        Names of the tasks to build; upstreams outside the list are dropped.
    values : dict
        Text for the placeholders: county, year, run_id, staging.
    fingerprints : dict
        Fingerprint by task, passed as the task's ``fingerprint`` parameter.
    of_plugins : mapping, optional
        Tasks of plugins, from `plugin_task`.

    Raises
    ------
    ConfigError
        A task is not in the file, or a placeholder has no value.
    """
    data = read_yaml(pipeline)
    by_name = {task["name"]: task for task in data.get("tasks", [])} | dict(of_plugins or {})
    by_name = dict(sorted(by_name.items()))
    unknown = [name for name in tasks if name not in by_name]
    if unknown:
        raise ConfigError(f"{pipeline} has no task {unknown[0]}", examples=list(by_name))
    kept = [by_name[name] for name in by_name if name in tasks]
    for task in kept:
        task["upstream"] = [name for name in task.get("upstream") or [] if name in tasks]
        task["source"] = str(pipeline.parent / task["source"])
        task["executor_params"] = {"progress_bar": False}
        task["params"] = task.get("params", {}) | {"fingerprint": fingerprints[task["name"]]}
    return {"meta": data.get("meta", {}), "tasks": _fill(kept, values, pipeline)}


def plugin_task(name: str, notebook: Path, upstream: Sequence[str]) -> Task:
    """The task of a plugin's step."""
    return {
        "name": name,
        "source": str(notebook),
        "product": f"{{{{staging}}}}/{name}.ipynb",
        "params": {item: f"{{{{{item}}}}}" for item in ("county", "year", "run_id")},
        "upstream": list(upstream),
    }


def _fill(data: Any, values: dict[str, str], pipeline: Path) -> Any:
    text = yaml.safe_dump(data, sort_keys=False)
    for name, value in values.items():
        text = text.replace("{{" + name + "}}", value)
    if "{{" in text:
        missing = text.split("{{", 1)[1].split("}}", 1)[0]
        raise ConfigError(f"{pipeline} asks for {{{{{missing}}}}}, which no setting provides")
    return yaml.safe_load(text)


def build(
    specification: dict[str, Any],
    *,
    working_folder: Path,
    early: Mapping[str, Sequence[str]] = MappingProxyType({}),
) -> None:
    """Build the DAG: each notebook in its own kernel, two at a time where the DAG allows.

    Parameters
    ----------
    early : mapping
        By task: modules that its kernel imports before its turn, in addition to the notebook's.

    Raises
    ------
    RunError
        A notebook failed. The message is the notebook's own error; the executed notebook with
        the traceback stays in the run's staging folder.
    """
    os.environ["PLOOMBER_STATS_ENABLED"] = "false"
    code = {
        task["name"]: early_imports(Path(task["source"]), early.get(task["name"], ()))
        for task in specification["tasks"]
    }
    said = io.StringIO()
    with (
        Kernels(working_folder, code) as kernels,
        contextlib.chdir(working_folder),
        contextlib.redirect_stdout(said),
        warnings.catch_warnings(),
    ):
        from ploomber.spec import DAGSpec

        warnings.simplefilter("ignore")  # Ploomber's own message about notebooks without upstream
        dag = DAGSpec(specification).to_dag()
        dag.executor = partial(_execute, kernels)
        try:
            dag.build(force=True, show_progress=False)
        except Exception as error:
            readable = (
                error if isinstance(error, TerraFusionError) else RunError(str(error).strip())
            )
            raise _notebook_error(specification) or readable from error
        finally:
            logger.info(said.getvalue())


def _execute(kernels: Kernels, dag: Any, show_progress: bool) -> list[Any]:  # noqa: ARG001
    """Ploomber executor: a task starts when its upstreams have finished, at most `AT_ONCE` at a
    time. Tasks that depend on a failed task are skipped; the others continue.
    """
    from ploomber.constants import TaskStatus

    waiting, running, ended = list(dag.values()), set[Future[Any]](), set[Future[Any]]()
    with ThreadPoolExecutor(AT_ONCE) as threads:
        try:
            while True:
                ready = [t for t in waiting if t.exec_status == TaskStatus.WaitingExecution]
                waiting = [task for task in waiting if task not in ready]
                running |= {threads.submit(_run, kernels, task) for task in ready}
                if not running:
                    break
                done, running = wait(running, return_when=FIRST_COMPLETED)
                ended |= done
        except BaseException:
            threads.shutdown(wait=False, cancel_futures=True)
            kernels.kill()
            raise
    return [future.result() for future in ended]


def _run(kernels: Kernels, task: Any) -> Any:
    """Build a task in its kernel; report it if the system killed the kernel."""
    kernel = kernels.take(task.name)
    task.executor_params["km"] = kernel
    try:
        return task._build(catch_exceptions=True)[0]  # noqa: SLF001 - what executors call
    except Exception as error:
        if kernel.lives():
            raise
        raise RunError(
            "The kernel stopped before its notebook finished",
            step=task.name,
            cause="the system kills processes when memory runs out",
            hint="terrafusion run <county> --resume",
        ) from error
    finally:
        kernels.give_back(kernel)


def _notebook_error(specification: dict[str, Any]) -> TerraFusionError | None:
    """The error that stopped the first failed notebook, read from its executed copy."""
    for task in specification["tasks"]:
        path = Path(task["product"])
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"] if path.is_file() else []
        for output in (output for cell in cells for output in cell.get("outputs", [])):
            if output["output_type"] == "error":
                family = getattr(errors, output["ename"].rpartition(".")[2], None)
                return (family or RunError)(output["evalue"])
    return None
