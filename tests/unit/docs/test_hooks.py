"""The hooks of a commit are the checks of ``make lint``, from the same environment."""

import re
import subprocess

import yaml

from tests.support.require import ROOT


def test_hooks_run_what_make_lint_runs() -> None:
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    assert [item["repo"] for item in hooks] == ["local"]
    programs = {hook["entry"].replace(" --force-exclude", "") for hook in hooks[0]["hooks"]}
    printed = subprocess.run(
        ["make", "-n", "lint"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    linted = re.findall(r"^\.venv/bin/(?:ruff|mypy|lint-imports).*$", printed, re.MULTILINE)
    assert len(linted) == 4
    assert programs - {"make test-fast"} == {
        re.sub(r"( --check)? \.$", "", command) for command in linted
    }
