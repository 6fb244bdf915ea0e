"""Who may do what: the one table that decides for hub, dashboards, gateway and command line.

A role grants permissions; roles inherit. A user sees the counties whose file names him and no
others. The hub publishes roles as groups ``<county>:<role>``.
"""

from collections.abc import Iterable

PERMISSIONS = frozenset(
    {
        *(
            f"{plugin}:{verb}"
            for plugin in ("valuation", "reporting", "market_analysis", "gis_export")
            for verb in ("run", "view")
        ),
        "valuation:approve",
        "reporting:view_sensitive",
        "pipeline:run",
        "dashboard:view",
        "config:edit",
        "users:edit",
        "audit:view",
    }
)

VIEWS = frozenset(name for name in PERMISSIONS if name.endswith(":view"))

ROLES: dict[str, frozenset[str]] = {
    "clerk": frozenset({"reporting:view"}),
    "auditor": VIEWS | {"reporting:view_sensitive"},
    "supervisor": VIEWS | {"reporting:run", "reporting:view_sensitive"},
    "analyst": VIEWS
    | {"pipeline:run", "valuation:run", "reporting:run", "market_analysis:run", "gis_export:run"},
    "assessor": PERMISSIONS - {"config:edit", "users:edit"},
    "it_admin": PERMISSIONS,
}
"""Permissions by role. The auditor's audit:view comes with VIEWS."""

LAB_ROLES = ("analyst", "assessor", "it_admin")
"""Roles whose users get a JupyterLab of their own."""


def group(county_id: str, role: str) -> str:
    """The hub's group of a county's role."""
    return f"{county_id}:{role}"


def groups_with(permission: str, counties: Iterable[str]) -> list[str]:
    """Groups of the given counties whose role grants `permission`, sorted."""
    return sorted(
        group(county, role)
        for county in counties
        for role, granted in ROLES.items()
        if permission in granted
    )


def may(groups: Iterable[str], county_id: str, permission: str) -> bool:
    """Whether somebody in `groups` has `permission` in the county; unknown roles grant nothing."""
    if permission not in PERMISSIONS:
        raise ValueError(f"{permission} is no permission")
    return any(
        county == county_id and permission in ROLES.get(role, ())
        for county, _, role in (name.partition(":") for name in groups)
    )


def permissions_in(groups: Iterable[str], county_id: str) -> frozenset[str]:
    """Everything that somebody in `groups` may do in the county."""
    listed = list(groups)
    return frozenset(name for name in PERMISSIONS if may(listed, county_id, name))


def counties_of(groups: Iterable[str], permission: str) -> list[str]:
    """Counties in which somebody in `groups` has `permission`, sorted."""
    listed = list(groups)
    counties = {name.partition(":")[0] for name in listed}
    return sorted(county for county in counties if may(listed, county, permission))
