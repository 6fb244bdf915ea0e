"""Other plugin actions: tune, what-if, lists. They store no results and create no job."""

from collections.abc import Mapping
from typing import Any

from terrafusion_lib.access.decide import require
from terrafusion_lib.core.config import did_you_mean, parse
from terrafusion_lib.core.county import load_county
from terrafusion_lib.core.errors import ConfigError, PluginError
from terrafusion_lib.core.progress import Progress, silent
from terrafusion_lib.core.settings import Settings, get_settings
from terrafusion_lib.jobs.context import make_context
from terrafusion_lib.plugins.api import Action, Plugin, Rows
from terrafusion_lib.plugins.registry import load_plugin
from terrafusion_lib.results.products import latest_record, product_folder
from terrafusion_lib.store.store import open_store


def act(
    plugin_name: str,
    name: str,
    county_id: str | None = None,
    options: Mapping[str, Any] | None = None,
    *,
    settings: Settings | None = None,
    year: int | None = None,
    progress: Progress = silent,
) -> Rows:
    """Run one of a plugin's actions.

    Raises
    ------
    PluginError
        The plugin has no such action.
    ConfigError
        A parameter is invalid, or the action needs a county and none is given.
    AccessDeniedError
        The user may not run it.
    """
    settings = settings or get_settings()
    plugin = load_plugin(plugin_name)
    action = find_action(plugin, name)
    params = parse(action.Params, dict(options or {}), where=f"{plugin_name} {name}")
    if not action.needs_county:
        return action.run(None, params)
    if county_id is None:
        raise ConfigError(f"{plugin_name} {name} needs a county")
    county = load_county(county_id, settings)
    require(settings, county_id, *action.permissions)
    record = None
    if plugin.steps:
        step = plugin.steps[0].name
        record = latest_record(settings, county_id, step, str(year) if year else None)
    chosen = record.assessment_year if record else year or county.assessment_year
    with open_store(settings.operational_database_url) as store:
        context = make_context(
            county,
            settings,
            store,
            year=chosen,
            run_id=f"{plugin_name} {name}",
            results_run_id=record.run_id if record else None,
            permissions=frozenset(action.permissions),
            progress=progress,
            folder=settings.county_data(county_id) / name,
            product=product_folder(settings, county_id, record.step, record.fingerprint)
            if record
            else None,
        )
        return action.run(context, params)


def find_action(plugin: Plugin, name: str) -> Action:
    """A plugin's action by name.

    Raises
    ------
    PluginError
        There is no such action; the closest name is suggested.
    """
    actions = {action.name: action for action in plugin.actions}
    if name not in actions:
        raise PluginError(
            f"{plugin.name} has no action {name!r}",
            examples=list(actions),
            hint=did_you_mean(name, actions),
        )
    return actions[name]
