"""What a state profile gives to rules: the facts by name, and a rule with its facts put in.

A suite writes a fact as ``$latitude_min``. As the whole of a key it becomes the value; within an
expression, a reason or a source it becomes a part of the text. A rule whose limit the state does
not give is left out.
"""

import re
from collections.abc import Mapping
from typing import Any

from terrafusion_lib.core.config import did_you_mean
from terrafusion_lib.core.errors import ConfigError
from terrafusion_lib.core.sql import literal
from terrafusion_lib.core.states.profile import Places, StateProfile
from terrafusion_lib.geo.crs import system

NAME = re.compile(r"\$([a-z_]+)")
SENTENCES = ("because", "source")


def facts_of(profile: StateProfile, crs: str = "") -> dict[str, object]:
    """Facts by name; None where the state sets no limit.

    Parameters
    ----------
    crs : str
        The county's coordinate system: without a box of the state, points must lie in its area of
        use.

    Raises
    ------
    ConfigError
        The coordinate system is unknown.
    """
    laws = {f"law_{topic}": text for topic, text in profile.statutes.model_dump().items()}
    prefixes = profile.places.zip_prefixes
    return laws | _box(profile, crs) | {
        "state": profile.name,
        "state_code": profile.code,
        "zip_prefixes": ", ".join(prefixes),
        "zip_pattern": _zip_pattern(prefixes),
        "first_house_year": profile.first_house_year,
        "first_record": profile.first_record,
        "inspection_years": profile.inspection_years,
        "land_use_pattern": profile.land_use_pattern,
        "condominium_class": profile.condominium_class,
        "extreme_ratio_low": profile.extreme_ratios.low,
        "extreme_ratio_high": profile.extreme_ratios.high,
    }  # fmt: skip


def _box(profile: StateProfile, crs: str) -> dict[str, object]:
    """Limits of latitude and longitude, and what sentences call the place within them."""
    places, region = profile.places, profile.name
    if places.latitude is None and crs and (area := system(crs).area_of_use) is not None:
        places = Places(latitude=(area.south, area.north), longitude=(area.west, area.east))
        region = f"the area of {crs}"
    south, north = places.latitude or (None, None)
    west, east = places.longitude or (None, None)
    return {
        "latitude_min": south,
        "latitude_max": north,
        "longitude_min": west,
        "longitude_max": east,
        "region": region,
    }


def _zip_pattern(prefixes: tuple[str, ...]) -> str | None:
    """Regular expression of ZIP codes that begin with these digits."""
    if not prefixes:
        return None
    listed = []
    for item in prefixes:
        first, _, last = item.partition("-")
        listed += [f"{number:03d}" for number in range(int(first), int(last or first) + 1)]
    return f"({'|'.join(listed)})[0-9]{{2}}(-[0-9]{{4}})?"


class _NotGivenError(Exception):
    """A limit that the state does not give."""


def settle(rule: Mapping[str, Any], facts: Mapping[str, object], where: str) -> dict[str, Any]:
    """A rule of a file with its facts put in; empty when the state does not give one of its limits.

    Raises
    ------
    ConfigError
        A reason or a source names no fact; the nearest is suggested.
    """
    try:
        return {
            key: _in_words(str(value or ""), facts, where)
            if key in SENTENCES
            else _settle(value, facts)
            for key, value in rule.items()
        }
    except _NotGivenError:
        return {}


def _settle(value: Any, facts: Mapping[str, object]) -> Any:
    if isinstance(value, dict):
        return {key: _settle(item, facts) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_settle(item, facts) for item in value]
    if not isinstance(value, str):
        return value
    named = [name for name in NAME.findall(value) if name in facts]
    if any(facts[name] is None for name in named):
        raise _NotGivenError
    if NAME.fullmatch(value) and named:
        return facts[named[0]]
    return NAME.sub(
        lambda found: literal(facts[found[1]]) if found[1] in facts else found[0], value
    )


def _in_words(text: str, facts: Mapping[str, object], where: str) -> str:
    for name in NAME.findall(text):
        if name not in facts:
            raise ConfigError(
                f"{where}: there is no fact ${name}",
                hint=did_you_mean(name, facts) or f"known: {', '.join(facts)}",
            )
    return NAME.sub(lambda found: str(facts[found[1]]), text)
