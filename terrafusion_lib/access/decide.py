"""The one permission check, called by every entry point from command line to dashboard.

The settings say who the user is. A name that was given (``TERRAFUSION_USER``, a hub login) has the
roles that the county's users file gives it, and no others. Without a name, the operating system
account is looked up in the file in the same way. If it is not there and nobody has configured
users on this machine, the person at the keyboard counts as the assessor's analyst and may set the
first passwords.
"""

import os
import sys

from terrafusion_lib.access.grants import Grants
from terrafusion_lib.access.roles import ROLES, granted_to, roles_with
from terrafusion_lib.access.users import CountyUsers, all_users, county_users
from terrafusion_lib.core.county import list_counties
from terrafusion_lib.core.errors import AccessDeniedError
from terrafusion_lib.core.settings import Settings

AT_THE_KEYBOARD = ROLES["analyst"] | Grants.of("users:edit")
"""What the person at the keyboard may do if nobody has configured users."""
UNKNOWN_USER, NO_PERMISSION = "unknown_user", "no_permission"
SAID = "TERRAFUSION_ANALYST_AT_THE_KEYBOARD"
"""Environment variable that tells this process's kernels that the notice has been shown."""


def require(settings: Settings, county_id: str, *permissions: str) -> Grants:
    """Everything the user may do in the county, provided it includes all `permissions`.

    Raises
    ------
    AccessDeniedError
        One is missing; `permission` names it and `reason_code` says why.
    ConfigError
        The county is unknown, or a users file is not valid.
    """
    granted = grants(settings, county_id)
    for permission in granted.lacking(permissions):
        raise _refusal(settings, county_id, permission)
    return granted


def grants(settings: Settings, county_id: str) -> Grants:
    """Everything the user may do in the county; refuses nothing.

    Raises
    ------
    ConfigError
        The county is unknown, or a users file is not valid.
    """
    users = county_users(county_id, settings)
    person = users.named(settings.user) if users else None
    if person:
        return granted_to(person.roles)
    if settings.user_given or not _keyboard_decides(users, settings):
        return Grants()
    _say_once(settings.user, county_id)
    return AT_THE_KEYBOARD


def counties_with(settings: Settings, permission: str) -> list[str]:
    """Counties in which the user has `permission`, sorted."""
    return [name for name in list_counties(settings) if permission in grants(settings, name)]


def _keyboard_decides(users: CountyUsers | None, settings: Settings) -> bool:
    """Whether nobody has configured users: a sample file, or no passwords on this machine."""
    if users and users.sample:
        return True
    return not any(county.configured for county in all_users(settings).values())


def _say_once(account: str, county_id: str) -> None:
    if SAID in os.environ:
        return
    os.environ[SAID] = account
    sys.stderr.write(
        f"Nobody has configured users of {county_id}: {account} counts as the assessor's analyst "
        "(docs/how-to/users.md).\n"
    )


def _refusal(settings: Settings, county_id: str, permission: str) -> AccessDeniedError:
    """The error: which permission is missing, and whom to ask."""
    users = county_users(county_id, settings)
    known = users is not None and users.named(settings.user) is not None
    hint = _whom_to_ask(users, permission)
    if not settings.user_given:
        hint += ", or say who you are: TERRAFUSION_USER=<name>"
    return AccessDeniedError(
        f"{settings.user} needs the permission {permission}"
        + ("" if known else " and is not a user of the county"),
        permission=permission,
        reason_code=NO_PERMISSION if known else UNKNOWN_USER,
        county=county_id,
        hint=hint,
    )


def _whom_to_ask(users: CountyUsers | None, permission: str) -> str:
    """Users who have the permission, or the roles that grant it if there are none."""
    listed = users.users if users else ()
    able = [user.username for user in listed if permission in granted_to(user.roles)]
    if able:
        return f"ask {', '.join(able[:5])}, who {'have' if len(able) > 1 else 'has'} it"
    roles = ", ".join(roles_with(permission))
    return f"name a user with one of the roles {roles} in the county's users file"
