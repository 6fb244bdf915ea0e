"""County configuration, settings and secrets: what a county's analyst gets wrong first."""

from pathlib import Path

import pytest

from terrafusion_lib.core.config import FrozenModel, did_you_mean, load, nearest, parse, read_yaml
from terrafusion_lib.core.county import CountyConfig, list_counties, load_county
from terrafusion_lib.core.errors import ConfigError
from terrafusion_lib.core.secrets import is_reference, resolve
from terrafusion_lib.core.settings import Settings

COUNTY = """
county_id: {id}
name: Test County
assessment_year: 2026
mapping: mappings/map.yaml
sources:
  pacs: {{connector: sql_server, options: {{host: "env:HOST", database: pacs_oltp}}}}
gate: {{max_quarantined_share: 0.01}}
"""


class Inner(FrozenModel):
    """A nested section."""

    max_rows: int = 1


class Outer(FrozenModel):
    """A file."""

    inner: Inner = Inner()
    name: str


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    (tmp_path / "county_configs").mkdir()
    return Settings(root=tmp_path)


def add_county(settings: Settings, county_id: str, text: str) -> Path:
    folder = settings.county_configs_path / county_id
    folder.mkdir()
    (folder / "county.yaml").write_text(text)
    return folder


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"name": "x", "inner": {"maxrows": 1}}, "unknown key inner.maxrows; did you mean max_row"),
        ({"name": "x", "inr": {}}, "unknown key inr; did you mean inner"),
        ({}, "name: field required"),
        ({"name": 3}, "name: input should be a valid string"),
    ],
)
def test_a_wrong_key_or_value_is_named_with_the_nearest_known_key(
    data: dict[str, object], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        parse(Outer, data, where="file.yaml")


def test_malformed_yaml_names_line_and_column(tmp_path: Path) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text("name: x\ninner: {max_rows: [1\n")
    with pytest.raises(ConfigError, match=r"bad.yaml is not valid YAML at line 3, column 1"):
        load(Outer, path)


@pytest.mark.parametrize("content", [b"", b"- a list", b"just text"])
def test_yaml_without_a_mapping_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "f.yaml").write_bytes(content)
    with pytest.raises(ConfigError, match="does not contain a mapping"):
        read_yaml(tmp_path / "f.yaml")


def test_yaml_in_another_encoding_is_refused(tmp_path: Path) -> None:
    (tmp_path / "f.yaml").write_bytes("name: Peña".encode("cp1252"))
    with pytest.raises(ConfigError, match="not UTF-8"):
        read_yaml(tmp_path / "f.yaml")


def test_nearest_ignores_case_and_refuses_the_far_fetched() -> None:
    assert nearest("PROP_ID", ["prop_id", "geo_id"]) == ["prop_id"]
    assert nearest("zebra", ["prop_id"]) == []


def test_a_county_reads_with_paths_in_its_own_folder(settings: Settings) -> None:
    folder = add_county(settings, "test_wa", COUNTY.format(id="test_wa"))
    county = load_county("test_wa", settings)
    assert county.mapping == folder / "mappings/map.yaml"
    assert county.folder == folder
    assert list_counties(settings) == ["test_wa"]


def test_a_county_that_extends_overrides_keys_and_replaces_sources(settings: Settings) -> None:
    base = add_county(settings, "base_wa", COUNTY.format(id="base_wa"))
    add_county(
        settings,
        "demo_wa",
        "extends: base_wa\ncounty_id: demo_wa\nname: Demo\n"
        "sources: {pacs: {connector: sql_server, options: {url: 'sqlite:///x'}}}\n",
    )
    county = load_county("demo_wa", settings)
    assert (county.name, county.assessment_year) == ("Demo", 2026)
    assert county.sources["pacs"].options == {"url": "sqlite:///x"}
    assert county.mapping == base / "mappings/map.yaml"
    assert county.gate.max_quarantined_share == 0.01


def test_a_county_that_extends_itself_or_nothing_is_refused(settings: Settings) -> None:
    add_county(settings, "a_wa", "extends: b_wa\ncounty_id: a_wa\n")
    add_county(settings, "b_wa", "extends: a_wa\ncounty_id: b_wa\n")
    add_county(settings, "c_wa", "extends: none_wa\ncounty_id: c_wa\n")
    for county_id in ("a_wa", "c_wa"):
        with pytest.raises(ConfigError, match="missing or extends itself"):
            load_county(county_id, settings)


def test_an_unknown_county_suggests_the_nearest(settings: Settings) -> None:
    add_county(settings, "benton_wa", COUNTY.format(id="benton_wa"))
    with pytest.raises(ConfigError, match="did you mean benton_wa"):
        load_county("bentn_wa", settings)


def test_a_county_file_under_another_id_is_refused(settings: Settings) -> None:
    add_county(settings, "one_wa", COUNTY.format(id="two_wa"))
    with pytest.raises(ConfigError, match="county_id two_wa, not one_wa"):
        load_county("one_wa", settings)


def test_the_shipped_counties_are_valid() -> None:
    settings = Settings(root=Path(__file__).resolve().parents[3])
    assert {"benton_wa", "demo_wa", "king_wa"} <= set(list_counties(settings))
    for county_id in list_counties(settings):
        assert isinstance(load_county(county_id, settings), CountyConfig)


def test_secrets_are_resolved_from_environment_and_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("A_PASSWORD", "s3cret")
    (tmp_path / "pw").write_text("from file\n")
    assert resolve("env:A_PASSWORD") == "s3cret"
    assert resolve(f"file:{tmp_path / 'pw'}") == "from file"
    assert resolve("plain text") == "plain text"
    assert not is_reference("localhost:1433")


@pytest.mark.parametrize("reference", ["env:NOT_SET_ANYWHERE", "file:/nowhere/at/all"])
def test_a_missing_secret_names_the_reference_and_what_to_do(reference: str) -> None:
    with pytest.raises(ConfigError, match="is not set") as caught:
        resolve(reference, what="password of pacs")
    assert "password of pacs" in str(caught.value)
    assert "Next:" in str(caught.value)


@pytest.mark.parametrize(
    ("name", "suffix", "expected"),
    [
        ("propertees", "", "did you mean Properties?"),
        ("sails", ".price", "did you mean sales.price?"),
        ("zzz", "", None),
    ],
)
def test_the_nearest_known_name_is_asked_for_whatever_the_case(
    name: str, suffix: str, expected: str | None
) -> None:
    assert did_you_mean(name, ("sales", "Properties"), suffix=suffix) == expected
