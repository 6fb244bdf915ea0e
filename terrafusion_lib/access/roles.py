"""What each role grants: the one table of permissions.

The hub publishes a county's roles as groups ``<county>:<role>``.
"""

from collections.abc import Iterable

from terrafusion_lib.access.grants import VIEW_SENSITIVE, Grants

ROLES: dict[str, Grants] = {
    "clerk": Grants.of("reporting:view"),
    "auditor": Grants.of("*:view", VIEW_SENSITIVE),
    "supervisor": Grants.of("*:view", "reporting:run", VIEW_SENSITIVE),
    "analyst": Grants.of("*:view", "*:run"),
    "assessor": Grants.of("*:view", "*:run", "*:approve", "*:view_sensitive"),
    "it_admin": Grants.of("*:*"),
}
"""Everything but configuration and users is the assessor's; the IT administrator has both."""


def granted_to(roles: Iterable[str]) -> Grants:
    """What the roles grant in total; unknown roles grant nothing."""
    together = Grants()
    for role in roles:
        together |= ROLES.get(role, Grants())
    return together


def roles_with(permission: str) -> list[str]:
    """Roles that grant `permission`, sorted."""
    return sorted(role for role, granted in ROLES.items() if permission in granted)


def group(county_id: str, role: str) -> str:
    """The hub's group of a county's role."""
    return f"{county_id}:{role}"


def groups_with(permission: str, counties: Iterable[str]) -> list[str]:
    """Groups of the given counties whose role grants `permission`, sorted."""
    return sorted(group(county, role) for county in counties for role in roles_with(permission))
