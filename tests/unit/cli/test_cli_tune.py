"""``terrafusion tune``: what it prints, and what it says of a county that cannot be tuned."""

import pytest
from typer.testing import CliRunner

from terrafusion_lib.cli import app
from terrafusion_lib.core.errors import RunError
from terrafusion_lib.pipelines import tuning
from terrafusion_lib.plugins.valuation.params import TreeSettings
from terrafusion_lib.plugins.valuation.workbench.tuning import Trial


@pytest.mark.parametrize(
    ("weight", "said"), [(0.5, "    leaves: 15"), (0.0, "trees add nothing here")]
)
def test_the_best_settings_are_printed_for_county_yaml(
    monkeypatch: pytest.MonkeyPatch, weight: float, said: str
) -> None:
    trial = Trial(TreeSettings(), 250, weight, 0.0812, 11.5)
    monkeypatch.setattr(tuning, "tune_trees", lambda *_, **__: [trial])
    done = CliRunner().invoke(app, ["tune", "demo_wa", "--trials", "1"])
    assert done.exit_code == 0
    assert "mean error 8.120 %  COD 11.500" in done.output
    assert said in done.output


def test_a_county_without_values_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    monkeypatch.setenv("TERRAFUSION_DATA_DIR", str(tmp_path))
    done = CliRunner().invoke(app, ["tune", "demo_wa"])
    assert isinstance(done.exception, RunError)
    assert "terrafusion run demo_wa" in str(done.exception)
