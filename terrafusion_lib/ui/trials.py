"""A trial of a new trait in words: the gain, how certain it is, and whether it is worth having."""

from terrafusion_lib.plugins.valuation.workbench.feature_trial import FeatureTrial
from terrafusion_lib.ui.html import Html, styled, text
from terrafusion_lib.ui.tables import Figure, show

POINTS = "points of COD"


def feature_trial(trial: FeatureTrial) -> Html:
    """A trial as a sentence and a table; a COD is in percent of the median ratio."""
    rows = [
        ("unseen sales", f"{trial.sales:,}", ""),
        ("sales with the trait known", f"{100 * trial.known:.0f}", "%"),
        ("COD without the trait", f"{trial.cod_without:.2f}", "% of the median ratio"),
        ("COD with the trait", f"{trial.cod_with:.2f}", "% of the median ratio"),
        ("COD saved", f"{trial.gain:+z.2f}", POINTS),
        ("95 % interval of the gain", f"{trial.gain_low:+z.2f} to {trial.gain_high:+z.2f}", POINTS),
    ]
    table = show({"": name, "figure": Figure(value), "unit": unit} for name, value, unit in rows)
    return styled(f"<p><strong>{text(trial_verdict(trial))}</strong></p>") + table


def trial_verdict(trial: FeatureTrial) -> str:
    """Whether the trait is worth having, in one line."""
    size = f"{abs(trial.gain):.2f} points on unseen sales"
    change = f"it {'lowers' if trial.gain > 0 else 'raises'} the COD by {size}"
    if trial.gain_low > 0:
        return f"Worth having: {change}."
    if trial.gain_high < 0:
        return f"Not worth having: {change}."
    return f"Gain not proven: {change}, and the interval includes zero."
