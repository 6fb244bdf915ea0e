"""A package that only some installations have: one sentence with its extra and the command."""

import ast
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from fsspec.registry import _registry
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from terrafusion_lib.analytics.store import open_analytics
from terrafusion_lib.core import packages
from terrafusion_lib.core.errors import MissingDependencyError
from terrafusion_lib.core.packages import install_command, missing_package, optional_package
from terrafusion_lib.core.secrets import resolve
from terrafusion_lib.core.settings import Settings
from terrafusion_lib.jobs.destination import open_destination
from tests.support.require import ROOT


def test_every_extra_says_which_packages_to_install() -> None:
    assert install_command("s3fs").startswith('pip install "s3fs>=')
    assert install_command("chdb") == install_command("clickhouse-connect")
    assert '"chdb>=' in install_command("chdb")
    assert '"clickhouse-connect>=' in install_command("chdb")
    assert install_command("gcsfs") == 'pip install "gcsfs"'
    assert install_command("pyodbc").startswith('pip install "pyodbc>=')


@pytest.mark.parametrize(
    ("package", "extra", "use"),
    [
        ("s3fs", "object-store", lambda: open_destination("s3://assessor/tiles")),
        ("keyring", "secrets", lambda: resolve("keyring:pacs/loader")),
        (
            "clickhouse_connect",
            "clickhouse",
            lambda: open_analytics(Settings(analytics_url="clickhouse://h:8123/d")),
        ),
        (
            "chdb",
            "clickhouse",
            lambda: open_analytics(
                Settings(analytics_url="chdb:///tmp/none", data_dir=Path("/tmp/none"))
            )._client(Path("/tmp/none")),
        ),
    ],
)
def test_an_extra_that_is_not_installed_is_named(
    package: str, extra: str, use: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    monkeypatch.delitem(_registry, "s3", raising=False)
    with pytest.raises(MissingDependencyError) as failure:
        use()  # type: ignore[operator]
    message = str(failure.value)
    name = package.replace("_", "-")
    assert f"needs the package {name} (extra {extra})" in message
    assert "which is not installed. Next: pip install " in message


def test_a_store_without_an_extra_names_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "gcsfs", None)
    with pytest.raises(MissingDependencyError, match=r'gs:// needs .* gcsfs, .*install "gcsfs"'):
        open_destination("gs://assessor/tiles")


def test_a_package_that_is_there_and_does_not_load_is_told_apart() -> None:
    error = missing_package("psycopg2-binary", "PostgreSQL", module="psycopg2")
    assert "which cannot be loaded" in str(error)
    assert "extra" not in str(error)


def test_a_folder_of_source_knows_no_extras(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packages, "PROJECT", "no-such-project")
    with pytest.raises(MissingDependencyError, match='pip install "no-such-module"'):
        optional_package("no-such-module", "Nothing")


def _imported() -> dict[str, set[str]]:
    """Files of the product by the package that they import."""
    found: dict[str, set[str]] = {}
    for path in [*(ROOT / "terrafusion_lib").rglob("*.py"), ROOT / "jupyterhub_config.py"]:
        for node in ast.walk(ast.parse(path.read_text())):
            names: list[str] = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names = [node.module]
            for name in names:
                found.setdefault(name.partition(".")[0], set()).add(path.name)
    return found


def test_every_package_that_the_product_imports_is_declared() -> None:
    """What comes by chance with another package is gone one day, as fsspec was."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    declared = {
        canonicalize_name(Requirement(text).name)
        for texts in (project["dependencies"], *(extras[name] for name in extras if name != "test"))
        for text in texts
    }
    known = packages_distributions()
    missing = {
        name: files
        for name, files in _imported().items()
        if name not in sys.stdlib_module_names
        and name != "terrafusion_lib"
        and not {canonicalize_name(item) for item in known.get(name, [name])} & declared
    }
    assert not missing


def test_a_package_of_an_extra_is_imported_through_the_helper_only() -> None:
    """A plain import of it would be a traceback where the extra is not installed."""
    plain: set[str] = set()
    extras = {"chdb", "keyring", "mssql_python_odbc", "s3fs", "gcsfs", "adlfs"}
    for name, files in _imported().items():
        if name in extras:
            plain |= files
    # It asks the helper first; the import lets a step's fingerprint see the library.
    assert plain == {"chdb_store.py"}
