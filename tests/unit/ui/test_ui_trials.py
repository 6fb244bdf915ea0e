"""A trial of a feature in words."""

import pytest

from terrafusion_lib.plugins.valuation.workbench.feature_trial import FeatureTrial
from terrafusion_lib.ui.trials import feature_trial, trial_verdict


def trial(gain: float, low: float, high: float) -> FeatureTrial:
    return FeatureTrial(
        sales=1254,
        known=0.973,
        cod_without=10.571,
        cod_with=10.571 - gain,
        gain=gain,
        gain_low=low,
        gain_high=high,
    )


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (trial(0.5, 0.2, 0.8), "Worth having: it lowers the COD by 0.50 points"),
        (trial(-0.5, -0.8, -0.2), "Not worth having: it raises the COD by 0.50 points"),
        (trial(-0.029, -0.262, 0.189), "Gain not proven: it raises the COD by 0.03 points"),
        (trial(0.1, -0.1, 0.3), "Gain not proven: it lowers the COD by 0.10 points"),
    ],
)
def test_the_verdict_goes_by_the_interval(found: FeatureTrial, said: str) -> None:
    assert trial_verdict(found).startswith(said)


def test_every_figure_of_a_trial_has_its_unit() -> None:
    shown = feature_trial(trial(-0.029, -0.262, 0.189))
    assert '<td class="number">-0.03</td><td>points of COD</td>' in shown
    assert '<td class="number">-0.26 to +0.19</td><td>points of COD</td>' in shown
    assert '<td class="number">10.57</td><td>% of the median ratio</td>' in shown
    assert '<td class="number">97</td><td>%</td>' in shown
    assert "1,254" in shown
