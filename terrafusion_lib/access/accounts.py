"""Accounts of a county's users: who they are, and their passwords."""

import json
from collections.abc import Callable
from typing import Any

from terrafusion_lib.access.decide import require
from terrafusion_lib.access.users import all_users, county_users
from terrafusion_lib.core.config import nearest
from terrafusion_lib.core.county import load_county
from terrafusion_lib.core.errors import ConfigError
from terrafusion_lib.core.files import write_json
from terrafusion_lib.core.settings import Settings

SHORTEST_PASSWORD = 10
NOBODY = (  # a hash of nobody's password, as costly to check as a real one
    "$argon2id$v=19$m=65536,t=3,p=4$AAAAAAAAAAAAAAAAAAAAAA"
    "$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
)


def check_password(username: str, password: str, settings: Settings) -> bool:
    """Whether the password is the user's in any county; takes equally long for an unknown user."""
    from argon2 import PasswordHasher
    from argon2.exceptions import InvalidHashError, VerificationError

    hasher = PasswordHasher()
    hashes = [
        user.password_hash
        for county in all_users(settings).values()
        for user in county.users
        if user.username == username and user.password_hash
    ]
    for known in hashes or [NOBODY]:
        try:
            if hasher.verify(known, password):
                return bool(hashes)
        except (VerificationError, InvalidHashError):
            continue
    return False


def list_accounts(county_id: str, settings: Settings) -> list[dict[str, Any]]:
    """Users of a county with their roles and whether they can log in.

    Raises
    ------
    AccessDeniedError
        The person may not view users.
    """
    require(settings, county_id, "users:view")
    known = county_users(county_id, settings)
    return [
        {
            "user": user.username,
            "name": user.full_name,
            "roles": ", ".join(user.roles),
            "can log in": bool(user.password_hash),
        }
        for user in (known.users if known else ())
    ]


def set_password(county_id: str, username: str, ask: Callable[[], str], settings: Settings) -> None:
    """Store the hash of a new password in a county's users file.

    Parameters
    ----------
    ask : callable
        Returns the password; called once everything else has been checked.

    Raises
    ------
    AccessDeniedError
        The person may not edit users.
    ConfigError
        The county has no users file, the user is not in it, or the password is too short.
    """
    from argon2 import PasswordHasher

    require(settings, county_id, "users:edit")
    path, users = load_county(county_id, settings).users, county_users(county_id, settings)
    if path is None or users is None:
        raise ConfigError(
            "There is no users file", county=county_id, hint="name one as users: in county.yaml"
        )
    names = [user.username for user in users.users]
    if username not in names:
        close = nearest(username, names)
        raise ConfigError(
            f"{path} has no user {username}",
            examples=names,
            hint=f"did you mean {close[0]}?" if close else None,
        )
    password = ask()
    if len(password) < SHORTEST_PASSWORD:
        raise ConfigError(f"A password needs {SHORTEST_PASSWORD} characters or more")
    data = json.loads(path.read_text(encoding="utf-8"))
    for user in data["users"]:
        if user["username"] == username:
            user["password_hash"] = PasswordHasher().hash(password)
    write_json(path, data)
