"""What a county does with shared rules: another limit, another severity, or off; and why."""

from collections.abc import Mapping, Sequence
from typing import Any

from terrafusion_lib.core.config import did_you_mean
from terrafusion_lib.core.county import RuleChange
from terrafusion_lib.core.errors import ConfigError
from terrafusion_lib.validation.state_facts import settle

Changes = Mapping[str, Mapping[str, RuleChange]]
"""By canonical table and rule."""
FIXED = ("name", "kind")


def changed_rules(
    items: Sequence[Mapping[str, Any]],
    changes: Mapping[str, RuleChange],
    table: str,
    facts: Mapping[str, object],
) -> tuple[list[dict[str, Any]], tuple[dict[str, str], ...]]:
    """Rules of a table as the county has them, and what it changed: table, rule, change, reason.

    Rules of the schema are not among them: what they refuse cannot be loaded.

    Raises
    ------
    ConfigError
        The suite has no such rule (the nearest is named), or its name or kind is to be changed.
    """
    known = {str(item.get("name")) for item in items}
    for name, change in changes.items():
        where = f"county.yaml, expectations.rules.{table}.{name}"
        if name not in known:
            raise ConfigError(
                f"{where}: the suite has no such rule to change",
                table=table,
                hint=did_you_mean(name, known) or "rules of the schema hold in every county",
            )
        if fixed := [key for key in FIXED if key in change.keys]:
            raise ConfigError(f"{where}: {fixed[0]} of a rule cannot be changed", table=table)
    kept = [
        dict(item) | (changes[item["name"]].keys if item.get("name") in changes else {})
        for item in items
        if item.get("name") not in changes or changes[item["name"]].enabled
    ]
    rules = {str(item["name"]): item for item in items if item.get("name") in changes}
    return kept, tuple(_told(table, rule, changes[name], facts) for name, rule in rules.items())


def _told(
    table: str, rule: Mapping[str, Any], change: RuleChange, facts: Mapping[str, object]
) -> dict[str, str]:
    before = {key: settle({key: rule.get(key)}, facts, table).get(key) for key in change.keys}
    parts = [f"{key}: {value} (was {before[key]})" for key, value in change.keys.items()]
    return {
        "table": table,
        "rule": str(rule["name"]),
        "change": "; ".join(parts) or "off",
        "reason": change.reason,
    }
