"""The Ploomber seam: a two-task pipeline of real notebooks, and how its failure is told."""

import json
from pathlib import Path

import pytest

from terrafusion_lib.core.errors import ConfigError, GateError
from terrafusion_lib.pipelines.ploomber_dag import build, dag_specification

PIPELINE = """
meta: {extract_upstream: false, extract_product: false}
tasks:
  - {name: a, source: a.ipynb, product: "{{staging}}/a.ipynb", params: {county: "{{county}}"}}
  - {name: b, source: b.ipynb, product: "{{staging}}/b.ipynb", params: {county: "{{county}}"},
     upstream: [a]}
"""


def notebook(path: Path, source: str) -> None:
    def cell(text: str, tags: list[str]) -> dict:
        return {
            "cell_type": "code",
            "execution_count": None,
            "id": f"cell-{len(text)}",
            "metadata": {"tags": tags},
            "outputs": [],
            "source": text,
        }

    cells = [cell('county = "none"\nfingerprint = ""', ["parameters"]), cell(source, [])]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    path.write_text(
        json.dumps(
            {
                "cells": cells,
                "metadata": {"kernelspec": kernel},
                "nbformat": 4,
                "nbformat_minor": 5,
            }
        )
    )


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "pipeline.yaml").write_text(PIPELINE)
    notebook(tmp_path / "a.ipynb", "print(county, fingerprint)")
    return tmp_path


def specification(project: Path, tasks: list[str]) -> dict:
    return dag_specification(
        project / "pipeline.yaml",
        tasks=tasks,
        values={"staging": str(project / "staging"), "county": "benton_wa"},
        fingerprints={"a": "f-a", "b": "f-b"},
    )


def test_tasks_outside_the_plan_leave_the_dag_with_their_upstreams(project: Path) -> None:
    kept = specification(project, ["b"])["tasks"]
    assert [task["name"] for task in kept] == ["b"]
    assert kept[0]["upstream"] == []
    assert kept[0]["params"] == {"county": "benton_wa", "fingerprint": "f-b"}
    assert kept[0]["source"] == str(project / "b.ipynb")


def test_an_unknown_task_and_a_placeholder_without_value_are_refused(project: Path) -> None:
    with pytest.raises(ConfigError, match="no task c"):
        specification(project, ["c"])
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
    notebook(project / "b.ipynb", source)
    with pytest.raises(GateError, match=r"Too many rows \(county benton_wa\). 12 affected"):
        build(specification(project, ["a", "b"]), working_folder=project)
    executed = json.loads((project / "staging" / "a.ipynb").read_text())
    outputs = [output for cell in executed["cells"] for output in cell["outputs"]]
    assert outputs[0]["text"] == ["benton_wa f-a\n"]
    assert (project / "staging" / "b.ipynb").is_file()
