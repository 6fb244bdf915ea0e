"""What the plan runs after an edit is what depends on the edited line, and nothing else."""

import ast
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

import terrafusion_lib
from terrafusion_lib.core.county import CountyConfig, load_county
from terrafusion_lib.core.declared import result_step
from terrafusion_lib.core.errors import RunError
from terrafusion_lib.core.files import file_hash
from terrafusion_lib.core.raw import SourceTable
from terrafusion_lib.core.settings import Settings
from terrafusion_lib.mappers.mapping import load_mapping
from terrafusion_lib.pipelines import code_closure, fingerprints, plan, stored_products
from terrafusion_lib.pipelines.step import Step
from terrafusion_lib.pipelines.steps import steps
from terrafusion_lib.results.products import CONNECT, LOAD, MAP, REPORT, SPECIALIZE, VALIDATE
from tests.support.county import project

PACKAGE = Path(terrafusion_lib.__file__).parent
NOTHING: list[str] = []
FROM_REPORT = [REPORT]
VALUE = result_step("valuation")
FROM_VALUE = [VALUE, REPORT]
FROM_SPECIALIZE_AND_VALUE = [SPECIALIZE, VALUE, REPORT]
FROM_LOAD = [LOAD, *FROM_SPECIALIZE_AND_VALUE]
FROM_VALIDATE = [VALIDATE, *FROM_LOAD]
FROM_MAP = [MAP, *FROM_VALIDATE]
EVERYTHING = [CONNECT, *FROM_MAP]


class Workplace:
    """A project whose steps have all run, on a copy of the package that may be edited."""

    def __init__(self, folder: Path, code: Path) -> None:
        self.settings = project(folder)
        self.code = code

    def county(self, **changes: Any) -> CountyConfig:
        return load_county("demo_wa", self.settings).model_copy(update=changes)

    def make_plan(self, county: CountyConfig | None = None, **options: Any) -> plan.Plan:
        return plan.make_plan(county or self.county(), self.settings, **options)

    def finish(self) -> None:
        """Leave a product of every step, as a run does."""
        planned = self.make_plan()
        for name, item in planned.steps.items():
            Step(
                name=name,
                county=self.county(),
                year=planned.assessment_year,
                run_id="20260101-quiet-larch",
                fingerprint=item.fingerprint,
                parts=item.parts,
                input_fingerprints={},
                settings=self.settings,
            ).finish({})

    def file(self, place: str) -> Path:
        """The one file of the package, else of the project, whose path ends so."""
        [found] = list(self.code.rglob(place)) or list(self.settings.root.rglob(place))
        return found


@pytest.fixture(scope="module")
def workplace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workplace]:
    """The workplace with its steps finished; every plan reads the code as a new process does."""
    code = tmp_path_factory.mktemp("code") / "terrafusion_lib"
    shutil.copytree(PACKAGE, code, ignore=shutil.ignore_patterns("__pycache__"))
    made = Workplace(tmp_path_factory.mktemp("project"), code)
    folder = code_closure.package_folder
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            code_closure,
            "package_folder",
            lambda root: code if root == "terrafusion_lib" else folder(root),
        )
        patch.setattr(code_closure, "_hash", file_hash)
        patch.setattr(plan, "source_tables", source_tables)
        patch.setattr(plan, "present_source_state", lambda *given: "state")
        patch.setattr(stored_products, "database_reason", lambda *given: None)
        made.finish()
        assert made.make_plan().to_run == NOTHING
        yield made


def source_tables(county: CountyConfig) -> dict[str, SourceTable]:
    """As the plan's own, but a mapping of the same content is read once."""
    return _read_tables(county.mapping, file_hash(county.mapping))


@cache
def _read_tables(path: Path, _content: str) -> dict[str, SourceTable]:
    return load_mapping(path).source_tables()


def append(path: Path, text: str) -> None:
    path.write_text(path.read_text(encoding="utf-8") + text, encoding="utf-8")


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        ("pipelines/report_step.py", FROM_REPORT),
        ("pipelines/plugin_step.py", FROM_VALUE),
        ("pipelines/specialize_parcels.py", [SPECIALIZE]),
        ("pipelines/step.py", EVERYTHING),
        ("pipelines/plan.py", NOTHING),
        ("pipelines/source_state.py", NOTHING),
        ("pipelines/stored_products.py", NOTHING),
        ("pipelines/steps.py", NOTHING),
        ("pipelines/fingerprints.py", NOTHING),
        ("pipelines/notebook_tables.py", NOTHING),
        ("jobs/context.py", FROM_VALUE),
        ("jobs/execute.py", FROM_VALUE),
        ("jobs/lease.py", NOTHING),
        ("jobs/publish.py", NOTHING),
        ("access/roles.py", NOTHING),
        ("plugins/valuation/actions.py", NOTHING),
        ("plugins/valuation/engine.py", FROM_VALUE),
        ("plugins/valuation/facts.py", FROM_VALUE),
        ("cli/plugins.py", NOTHING),
        ("core/errors.py", EVERYTHING),
        ("core/schema.py", FROM_MAP),
        ("plugins/valuation/tables.py", FROM_VALUE),
        ("gis_export/tables.py", NOTHING),
        ("core/tables.py", FROM_MAP),
        ("core/locks.py", EVERYTHING),
        ("core/copy_stream.py", FROM_LOAD),
        ("geo/crs.py", EVERYTHING),
        ("geo/repair.py", FROM_MAP),
        ("geo/class_breaks.py", NOTHING),
        ("connectors/sql_server/source.py", EVERYTHING),
        ("connectors/arcgis/layer.py", NOTHING),
        ("geometry/postgis_load.py", [SPECIALIZE]),
        ("analytics/duckdb_store.py", FROM_SPECIALIZE_AND_VALUE),
        ("mappers/model.py", FROM_MAP),
        ("mappers/bind_table.py", FROM_MAP),
        ("mappers/write_table.py", FROM_MAP),
        ("validation/gate.py", FROM_VALIDATE),
        ("validation/data_docs.css", FROM_VALIDATE),
        ("validation/__init__.py", FROM_VALIDATE),
        ("store/bulk.py", FROM_LOAD),
        ("versions/0001_first_schema.py", NOTHING),
        ("stats/ratio.py", FROM_VALUE),
        ("valuation/plugin.py", FROM_VALUE),
        ("roll/land.py", FROM_VALUE),
        ("workbench/workbench.py", NOTHING),
        ("formats/kml.py", NOTHING),
        ("gis_export/plugin.py", NOTHING),
        ("ui/charts.py", NOTHING),
        ("ui/style.css", NOTHING),
        ("runs/runner.py", NOTHING),
        ("demo/generate.py", NOTHING),
        ("demo/schema/sales.sql", NOTHING),
        ("terrafusion_lib/__init__.py", NOTHING),
        ("expectations/sales.yaml", FROM_VALIDATE),
        ("mappings/benton_wa_mappings.yaml", FROM_MAP),
    ],
)
def test_an_edited_line_runs_the_steps_that_depend_on_it(
    workplace: Workplace, place: str, expected: list[str]
) -> None:
    path = workplace.code / "__init__.py" if place.startswith("terra") else workplace.file(place)
    before = path.read_bytes()
    try:
        append(path, "\n/* edited */\n" if path.suffix in (".css", ".sql") else "\n# edited\n")
        planned = workplace.make_plan()
    finally:
        path.write_bytes(before)
    assert planned.to_run == expected
    first = [planned.steps[name] for name in expected[:1]]
    assert all(step.reason.startswith("changed: ") for step in first)


@pytest.mark.parametrize(("step", "expected"), [(VALUE, FROM_VALUE), (REPORT, FROM_REPORT)])
def test_a_notebooks_source_counts_and_its_outputs_do_not(
    workplace: Workplace, step: str, expected: list[str]
) -> None:
    path = workplace.settings.root / "notebooks" / f"{step}.ipynb"
    before = path.read_bytes()
    notebook = json.loads(before)
    try:
        for cell in notebook["cells"]:
            if cell["cell_type"] == "code":
                cell["outputs"] = []
        path.write_text(json.dumps(notebook))
        assert workplace.make_plan().to_run == NOTHING
        notebook["cells"][-1]["source"] = "edited"
        path.write_text(json.dumps(notebook))
        assert workplace.make_plan().to_run == expected
    finally:
        path.write_bytes(before)


def test_a_column_that_the_mapping_reads_in_addition_reads_the_source_again(
    workplace: Workplace,
) -> None:
    path = workplace.file("mappings/benton_wa_mappings.yaml")
    before = path.read_text(encoding="utf-8")
    try:
        edited = re.sub(r"integer: \[prop_id\]", "integer: [prop_id, prop_note]", before, count=1)
        assert edited != before
        path.write_text(edited, encoding="utf-8")
        assert workplace.make_plan().to_run == EVERYTHING
    finally:
        path.write_text(before, encoding="utf-8")


def test_a_connector_counts_for_the_counties_that_read_by_it(workplace: Workplace) -> None:
    sources = workplace.county().sources
    arcgis = sources["parcels"].model_copy(update={"connector": "arcgis"})
    county = workplace.county(sources=sources | {"parcels": arcgis})
    known = workplace.make_plan(county).steps[CONNECT].fingerprint
    path = workplace.file("connectors/arcgis/layer.py")
    before = path.read_bytes()
    try:
        append(path, "\n# edited\n")
        assert workplace.make_plan(county).steps[CONNECT].fingerprint != known
        assert workplace.make_plan().to_run == NOTHING
    finally:
        path.write_bytes(before)


@pytest.mark.parametrize(
    ("library", "expected"),
    [
        ("pyodbc", EVERYTHING),
        ("great_expectations", FROM_VALIDATE),
        ("chdb", FROM_SPECIALIZE_AND_VALUE),
        ("geopandas", [SPECIALIZE]),
        ("statsmodels", FROM_VALUE),
        ("lonboard", NOTHING),
    ],
)
def test_another_version_of_a_library_runs_the_steps_that_import_it(
    workplace: Workplace, monkeypatch: pytest.MonkeyPatch, library: str, expected: list[str]
) -> None:
    real = code_closure.installed_version
    monkeypatch.setattr(
        code_closure, "installed_version", lambda name: "99" if name == library else real(name)
    )
    planned = workplace.make_plan()
    assert planned.to_run == expected
    if expected:
        assert planned.steps[expected[0]].reason == f"changed: {library} version"


def test_settings_count_where_they_change_a_figure(workplace: Workplace) -> None:
    county = workplace.county()
    assert workplace.make_plan(seed=1).to_run == FROM_VALUE
    gate = county.gate.model_copy(update={"max_quarantined_share": 0.5})
    assert workplace.make_plan(workplace.county(gate=gate)).to_run == FROM_VALIDATE
    assert workplace.make_plan(workplace.county(name="Other")).to_run == NOTHING
    rounded = workplace.county(plugins={"valuation": {"round_to": 500}})
    assert workplace.make_plan(rounded).to_run == FROM_VALUE
    faster = workplace.settings.model_copy(
        update={"threads": workplace.settings.threads + 1, "duckdb_memory_limit": "1GB"}
    )
    assert plan.make_plan(county, faster).to_run == NOTHING


def test_each_notebook_calls_the_function_of_its_steps_entry_module() -> None:
    for name, spec in steps().items():
        cells = json.loads((PACKAGE.parent / "notebooks" / f"{name}.ipynb").read_text())["cells"]
        source = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
        tree = ast.parse(source)
        called = {
            node.value.func.id
            for node in tree.body
            if isinstance(node, ast.Assign)
            and isinstance(node.value, ast.Call)
            and isinstance(node.value.func, ast.Name)
            and any(getattr(target, "id", "") == "record" for target in node.targets)
        }
        (entry_path, *_) = code_closure.source_files(spec.entry)
        entry = ast.parse(entry_path.read_text())
        defined = {node.name for node in entry.body if isinstance(node, ast.FunctionDef)}
        assert called, name
        assert called <= defined, name


def test_nothing_that_a_step_depends_on_is_imported_by_name_but_through_a_registry() -> None:
    county = load_county("demo_wa", Settings(root=PACKAGE.parent))
    by_name = re.compile(r"import_module\(|__import__\(|entry_points\(|find_spec\(|exec\(")
    found = {
        module
        for spec in steps().values()
        for module in fingerprints.step_closure(spec, county).modules
        if by_name.search(code_closure.source_files(module)[0].read_text(encoding="utf-8"))
    }
    assert found == {
        "terrafusion_lib.connectors.sql_server.odbc_drivers",  # looks for a driver's file
        "terrafusion_lib.core.packages",  # packages of extras, named in every closure that asks
        "terrafusion_lib.core.registry",
    }


def test_every_library_is_known_by_its_distribution() -> None:
    county = load_county("demo_wa", Settings(root=PACKAGE.parent))
    versions: dict[str, str] = {}
    for spec in steps().values():
        versions |= fingerprints.step_closure(spec, county).versions()
    optional = {"chdb", "clickhouse_connect", "keyring"}
    assert {name for name, number in versions.items() if number == "absent"} <= optional


def test_the_root_package_holds_nothing_but_the_version() -> None:
    [_, version] = ast.parse((PACKAGE / "__init__.py").read_text()).body
    assert isinstance(version, ast.Assign)
    assert ast.unparse(version.targets[0]) == "__version__"


def test_an_outside_package_counts_with_all_that_it_imports(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "fp_outside"
    (package / "part").mkdir(parents=True)
    sources = {
        "__init__.py": "",
        "start.py": "from typing import TYPE_CHECKING\nimport duckdb\n"
        "if TYPE_CHECKING:\n    from fp_outside import typed\n"
        "def late():\n    from fp_outside.part.lazy import x\n",
        "typed.py": "",
        "other.py": "",
        "part/__init__.py": "import fp_outside.of_parent\n",
        "part/lazy.py": "import terrafusion_lib.core.locks_not_here\nx = 1\n",
        "part/table.sql": "SELECT 1",
        "of_parent.py": "import terrafusion_lib.core.numbers\n",
    }
    for name, text in sources.items():
        (package / name).write_text(text)
    (tmp_path / "fp_single.py").write_text("import fp_outside.start\n")
    monkeypatch.syspath_prepend(tmp_path)
    found = code_closure.closure(["fp_outside.start", "fp_single"])
    assert {name for name in found.modules if name.startswith("fp_")} == {
        "fp_single",
        *(f"fp_outside{name}" for name in ("", ".start", ".of_parent", ".part", ".part.lazy")),
    }
    assert "terrafusion_lib.core.numbers" in found.modules
    assert found.libraries == {"duckdb"}
    assert "fp_outside" not in sys.modules
    before = found.code()
    assert set(before) == {"core", "fp_outside", "fp_single"}
    monkeypatch.setattr(code_closure, "_hash", file_hash)
    (package / "other.py").write_text("y = 2")
    (package / "part" / "table.sql").write_text("SELECT 2")
    after = found.code()
    assert {name for name in before if before[name] != after[name]} == {"fp_outside"}
    without = code_closure.closure(["fp_outside.start"], without=["fp_outside.part.lazy"])
    assert without.modules == {"fp_outside", "fp_outside.start"}


def test_a_source_that_is_no_python_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "fp_broken").mkdir()
    (tmp_path / "fp_broken" / "__init__.py").write_text("def half(:\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(RunError, match="fp_broken"):
        code_closure.closure(["fp_broken"])


def test_fingerprints_import_no_framework() -> None:
    code = """
import sys
from terrafusion_lib.core.county import load_county
from terrafusion_lib.core.settings import get_settings
from terrafusion_lib.pipelines.fingerprints import step_inputs
settings = get_settings()
county = load_county("demo_wa", settings)
step_inputs(county, 2026, settings, source_tables={}, source_state="", seed=1)
heavy = ("duckdb", "geopandas", "great_expectations", "lightgbm", "pandas", "ploomber", "scipy",
         "sqlalchemy", "statsmodels")
print([name for name in heavy if name in sys.modules])
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=PACKAGE.parent
    )
    assert done.stdout.strip() == "[]"
