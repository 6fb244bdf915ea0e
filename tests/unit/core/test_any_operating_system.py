"""County PCs run Windows: no module needs what POSIX systems alone have."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import terrafusion_lib

PACKAGE = Path(terrafusion_lib.__file__).parent
POSIX_ONLY = ("fcntl", "grp", "pty", "pwd", "resource", "syslog", "termios", "tty")
POSIX_CALLS = {"fork", "getloadavg", "getpgid", "getuid", "kill", "killpg", "mkfifo", "uname"}
SOURCES = sorted(PACKAGE.rglob("*.py"))


@pytest.mark.slow
def test_every_module_is_imported_where_posix_modules_are_missing() -> None:
    code = f"""
import importlib, pkgutil, sys
for name in {POSIX_ONLY}:
    sys.modules[name] = None
import terrafusion_lib
modules = [
    module.name
    for module in pkgutil.walk_packages(terrafusion_lib.__path__, "terrafusion_lib.")
    if ".migrations." not in module.name  # Alembic runs those itself
]
for name in modules:
    importlib.import_module(name)
print(len(modules))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    migrations = [path for path in SOURCES if "migrations" in path.parts]
    assert int(done.stdout) > len(SOURCES) - len(migrations) - 10


def test_no_function_uses_what_posix_systems_alone_have() -> None:
    used = {
        str(path.relative_to(PACKAGE)): name
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        for name in _posix(node)
    }
    assert not used


def _posix(node: ast.AST) -> list[str]:
    """Names that do not exist on Windows, as a node of a module uses them."""
    if isinstance(node, ast.Import):
        return [item.name for item in node.names if item.name in POSIX_ONLY]
    if isinstance(node, ast.ImportFrom):
        return [node.module] if node.module in POSIX_ONLY else []
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        return [node.attr] if node.value.id == "os" and node.attr in POSIX_CALLS else []
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return [node.value] if node.value.startswith(("/proc/", "/dev/")) else []
    if isinstance(node, ast.JoinedStr):
        return [word for part in node.values for word in _posix(part)]
    return []
