"""One sentence of each family of errors as a person reads it; all other tests look at fields."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest

from terrafusion_lib.access.decide import require
from terrafusion_lib.connectors.protocol import find_table
from terrafusion_lib.core import errors
from terrafusion_lib.core.config import parse
from terrafusion_lib.core.county import GateConfig
from terrafusion_lib.core.errors import TerraFusionError
from terrafusion_lib.core.packages import optional_package
from terrafusion_lib.core.registry import Registry
from terrafusion_lib.core.settings import Settings
from terrafusion_lib.geometry.parcel_layer import ParcelLayer
from terrafusion_lib.geometry.parcel_totals import check_not_emptied
from terrafusion_lib.plugins.registry import load_plugin
from terrafusion_lib.results.reader import promoted_results
from terrafusion_lib.validation.gate import reconcile
from tests.support.raw_extract import run_mapping
from tests.support.require import ROOT
from tests.support.synthetic_market import synthetic_market

DOUBLED = """
version: 1
source: cama
sources:
  parcel: {table: parcel, key: [id], columns: {text: [id, use_cd]}}
  use_code: {table: use_code, key: [use_cd], columns: {text: [use_cd, kind]}}
tables:
  properties_operational:
    from: parcel
    joins: {use: {to: use_code, match: {use_cd: use_cd}}}
    fields: {property_id: id, assessment_year: $assessment_year, property_type: use.kind}
"""


def settings(folder: Path) -> Settings:
    return Settings(root=ROOT, data_dir=folder, user="mallory")


def config(folder: Path) -> None:
    parse(GateConfig, {"min_row": {"sales": 10}}, where="gate of county.yaml")


def missing_dependency(folder: Path) -> None:
    optional_package("no-such-package", "An export to no://")


def connect(folder: Path) -> None:
    find_table("Parcel", ["Parcels", "Owners"], source="https://gis.county.gov/FeatureServer")


def mapping(folder: Path) -> None:
    parcels = pa.table({"id": ["1", "2"], "use_cd": ["11", "11"]})
    codes = pa.table({"use_cd": ["11", "11"], "kind": ["residential", "commercial"]})
    run_mapping(folder, DOUBLED, {"parcel": parcels, "use_code": codes})


def gate(folder: Path) -> None:
    rows = {"read": 10, "filtered": 3, "quarantined": 2, "accepted": 4}
    reconcile({"sales": rows}, county="demo_wa")


def load(folder: Path) -> None:
    none = pa.table(
        {"geometry_id": pa.array([], pa.string()), "geometry": pa.array([], pa.binary())}
    )
    layer = ParcelLayer("demo_wa", none, "EPSG:2927")
    check_not_emptied(layer, 12_000, remove="drop the table parcels_demo_wa")


def plugin(folder: Path) -> None:
    broken = Registry("plugin", "no.group", "plugins", "{name}/plugin.py", "no_such_name")
    broken.load("valuation")


def valuation(folder: Path) -> None:
    market = synthetic_market(300)
    valued = load_plugin("valuation")
    valued.run(replace(market, sales=market.sales.slice(0, 0)).context(), valued.Params())


def run(folder: Path) -> None:
    promoted_results(settings(folder), "demo_wa")


def access_denied(folder: Path) -> None:
    require(settings(folder), "demo_wa", "gis_export:run")


SENTENCES: dict[Callable[[Path], None], tuple[type[TerraFusionError], str]] = {
    config: (
        errors.ConfigError,
        """
        gate of county.yaml is not valid: unknown key min_row; did you mean min_rows?
        """,
    ),
    missing_dependency: (
        errors.MissingDependencyError,
        """
        An export to no:// needs the package no-such-package, which is not installed.
        Next: pip install "no-such-package".
        """,
    ),
    connect: (
        errors.ConnectError,
        """
        https://gis.county.gov/FeatureServer has no table Parcel (table Parcel). For example
        Parcels. Likely cause: it has a different name, or this login may not see it.
        Next: did you mean Parcels?
        """,
    ),
    mapping: (
        errors.MappingError,
        """
        The join use finds several rows of use_code for one row of
        properties_operational (table use_code, column use_cd). 1 affected. For example
        11 (2 rows). Likely cause: a key is doubled at the source, or the join names
        only a part of the key. Next: join on the whole key, or look up a relation with
        first_per or group_by.
        """,
    ),
    gate: (
        errors.GateError,
        """
        Rows do not reconcile: sales: 10 read, but 3 filtered + 2 quarantined + 4 kept =
        9 (county demo_wa, step 30_validate). Likely cause: rows were lost or duplicated
        between the source and the load. Next: run the map and validate steps again with
        --force.
        """,
    ),
    load: (
        errors.LoadError,
        """
        The new parcel layer is empty, but the published one is not (county demo_wa,
        table parcels). 12,000 affected. Likely cause: the source sent no features, or
        none with a publishable shape. Next: check the source; to publish an empty layer,
        drop the table parcels_demo_wa, then run again.
        """,
    ),
    plugin: (
        errors.PluginError,
        """
        Plugin valuation cannot be loaded from
        terrafusion_lib.plugins.valuation.plugin:no_such_name: module
        'terrafusion_lib.plugins.valuation.plugin' has no attribute 'no_such_name'.
        """,
    ),
    valuation: (
        errors.ValuationError,
        """
        No property can be valued from 0 valid sales before the valuation date (county
        test_wa). Likely cause: sales without validity codes, or too few recent ones.
        Next: set plugins.valuation.validity or max_sale_age_months in county.yaml.
        """,
    ),
    run: (
        errors.RunError,
        """
        There is no finished run to show (county demo_wa). Next: terrafusion run
        demo_wa.
        """,
    ),
    access_denied: (
        errors.AccessDeniedError,
        """
        mallory needs the permission gis_export:run and is not a user of the county
        (county demo_wa). Next: ask ada, ana, ivo, who have it.
        """,
    ),
}


@pytest.mark.parametrize("fails", SENTENCES, ids=lambda fails: fails.__name__)
def test_a_family_speaks_in_a_sentence(fails: Callable[[Path], None], tmp_path: Path) -> None:
    family, sentence = SENTENCES[fails]
    with pytest.raises(family) as caught:
        fails(tmp_path)
    assert str(caught.value).replace(str(tmp_path), "DIR") == " ".join(sentence.split())


def test_every_family_of_the_core_has_its_sentence() -> None:
    families = {
        item
        for item in vars(errors).values()
        if isinstance(item, type) and item.__module__ == errors.__name__
    }
    assert {family for family, _ in SENTENCES.values()} == families - {TerraFusionError}
