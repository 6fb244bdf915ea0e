"""What an analyst gets wrong in a mapping file is named, with the nearest right word."""

from pathlib import Path

import pytest

from terrafusion_lib.core.errors import TerraFusionError
from terrafusion_lib.mappers.mapping import load_mapping
from terrafusion_lib.mappers.transforms import TRANSFORMS
from tests.support.require import ROOT

KING = ROOT / "county_configs" / "king_wa" / "mappings" / "king_wa_mappings.yaml"


@pytest.mark.parametrize(
    ("right", "wrong", "message"),
    [
        ("transform: date(%Y%m%dT%H%M%S)", "transform: dat(%Y)", "did you mean date"),
        ("      land_area_sqft: sqft_lot", "      land_area_sqft: sqft_lots", "sqft_lot"),
        ("      land_area_sqft: sqft_lot", "      land_area_sqf: sqft_lot", "land_area_sqft"),
        ("    from: latest_sale", "    from: latest_sales", "latest_sale"),
        ("    table: kc_house_data.csv", "    tabel: kc_house_data.csv", "did you mean table"),
        ("version: 1", "version: [1", "not valid YAML"),
    ],
)
def test_a_mistake_in_the_file_is_named(
    tmp_path: Path, right: str, wrong: str, message: str
) -> None:
    text = KING.read_text()
    assert right in text
    path = tmp_path / "mapping.yaml"
    path.write_text(text.replace(right, wrong, 1))
    with pytest.raises(TerraFusionError, match=message):
        load_mapping(path)


def test_every_transform_is_documented() -> None:
    text = (ROOT / "docs" / "reference" / "mapping.md").read_text()
    assert all(f"| `{name}` |" in text for name in TRANSFORMS)


def test_a_table_does_not_repeat_its_rows(tmp_path: Path) -> None:
    text = (ROOT / "county_configs/harbor_ma/mappings/harbor_ma_mappings.yaml").read_text()
    right = "prop: {to: mapped.properties_operational, match: {property_id: PROP_ID}}"
    assert right in text
    path = tmp_path / "mapping.yaml"
    path.write_text(text.replace(right, right[:-1] + ", many: true}"))
    with pytest.raises(TerraFusionError, match="may find many rows"):
        load_mapping(path)
