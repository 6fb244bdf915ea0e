"""What a plan decides, from what is asked and what is stored; no step runs here."""

from pathlib import Path
from typing import Any

import pytest

from terrafusion_lib.core.county import load_county
from terrafusion_lib.core.errors import RunError
from terrafusion_lib.core.settings import Settings
from terrafusion_lib.pipelines import plan, stored_products
from terrafusion_lib.pipelines.plan import REUSE, RUN, Plan
from terrafusion_lib.pipelines.step import Step
from terrafusion_lib.pipelines.steps import steps
from terrafusion_lib.results.products import CONNECT, LOAD, MAP, VALIDATE, product_folder
from tests.support.county import project

COUNTY = "demo_wa"
SOURCE = {"state": "as first read"}


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return project(tmp_path_factory.mktemp("plan"))


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """A source and databases that are not asked."""
    monkeypatch.setitem(SOURCE, "state", "as first read")
    monkeypatch.setattr(plan, "present_source_state", lambda *given: SOURCE["state"])
    monkeypatch.setattr(stored_products, "database_reason", lambda *given: None)


def planned(settings: Settings, **asked: Any) -> Plan:
    return plan.make_plan(load_county(COUNTY, settings), settings, **asked)


@pytest.fixture
def stored(settings: Settings) -> Plan:
    """A plan all of whose steps have a product."""
    first = planned(settings)
    for name, item in first.steps.items():
        Step(
            name=name,
            county=load_county(COUNTY, settings),
            year=first.assessment_year,
            run_id="20260101-quiet-larch",
            fingerprint=item.fingerprint,
            parts=item.parts,
            input_fingerprints={},
            settings=settings,
        ).finish({})
    return first


def test_without_products_every_step_runs_and_none_can_be_begun_at(tmp_path: Path) -> None:
    empty = project(tmp_path)
    first = planned(empty)
    assert first.to_run == list(steps())
    assert first.steps[CONNECT].reason == "no earlier result"
    with pytest.raises(RunError) as refused:
        planned(empty, first="map")
    assert refused.value.hint.endswith(f"--from {CONNECT}")


def test_what_is_stored_serves_and_names_its_run(settings: Settings, stored: Plan) -> None:
    again = planned(settings)
    assert again.to_run == []
    assert {step.action for step in again.steps.values()} == {REUSE}
    assert "20260101-quiet-larch" in again.steps[MAP].reason
    assert [step.fingerprint for step in again.steps.values()] == [
        step.fingerprint for step in stored.steps.values()
    ]


def test_a_forced_step_runs_and_what_builds_on_it(settings: Settings, stored: Plan) -> None:
    forced = planned(settings, force=["validate"], last="load")
    assert list(forced.steps)[-1] == LOAD
    assert forced.to_run == [VALIDATE, LOAD]
    assert [forced.steps[name].reason for name in (VALIDATE, LOAD)] == [
        "asked by force",
        f"{VALIDATE} runs",
    ]
    assert planned(settings, force=["all"]).to_run == list(steps())


def test_a_damaged_product_does_not_serve(settings: Settings, stored: Plan) -> None:
    item = stored.steps[MAP]
    step = Step(
        name=MAP,
        county=load_county(COUNTY, settings),
        year=stored.assessment_year,
        run_id="20260101-quiet-larch",
        fingerprint=item.fingerprint,
        parts=item.parts,
        input_fingerprints={},
        settings=settings,
    )
    step.out.mkdir(parents=True)
    (step.out / "sales.parquet").write_text("rows")
    step.finish({})
    (product_folder(settings, COUNTY, MAP, item.fingerprint) / "sales.parquet").write_text("other")
    broken = planned(settings)
    assert broken.to_run[0] == MAP
    assert "sales.parquet" in broken.steps[MAP].reason


def test_a_source_that_has_changed_is_read_again_unless_the_raw_layer_is_kept(
    settings: Settings, stored: Plan
) -> None:
    SOURCE["state"] = "edited since"
    changed = planned(settings)
    assert changed.to_run == list(steps())
    assert changed.steps[CONNECT].reason == "changed: source data"
    assert planned(settings, reuse_raw=True).to_run == []


def test_a_step_opened_by_hand_runs_alone_on_the_newest_raw_layer(
    settings: Settings, stored: Plan
) -> None:
    SOURCE["state"] = "edited since"
    alone = planned(settings, first=VALIDATE, last=VALIDATE, interactive=True)
    assert (alone.to_run, alone.steps[VALIDATE].reason) == ([VALIDATE], "asked")
    assert alone.steps[MAP].action == REUSE
    assert alone.steps[CONNECT].action != RUN


@pytest.mark.parametrize("name", ["map", "20", MAP])
def test_a_step_is_named_in_full_by_number_or_by_word(
    settings: Settings, stored: Plan, name: str
) -> None:
    assert planned(settings, force=[name]).to_run[0] == MAP


def test_a_step_that_there_is_not_is_refused_with_those_there_are(settings: Settings) -> None:
    with pytest.raises(RunError) as refused:
        planned(settings, last="mapp")
    assert MAP in refused.value.examples
