"""Users of a county: ``county_configs/<county>/rbac/<county>_users.json``."""

import json
from pathlib import Path
from typing import Self

from pydantic import Field, field_validator, model_validator

from terrafusion_lib.access.roles import ROLES, group
from terrafusion_lib.core.config import FrozenModel, did_you_mean, parse
from terrafusion_lib.core.county import list_counties, load_county
from terrafusion_lib.core.errors import ConfigError
from terrafusion_lib.core.files import write_json
from terrafusion_lib.core.settings import Settings

SHORTEST_PASSWORD = 10
NOBODY = (  # a hash of no one's password, with the cost of a real one
    "$argon2id$v=19$m=65536,t=3,p=4$AAAAAAAAAAAAAAAAAAAAAA"
    "$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
)


class User(FrozenModel):
    """One person. Without a password hash nobody can log in under the name."""

    username: str = Field(pattern=r"^[a-z][a-z0-9_.-]*$")
    full_name: str = ""
    email: str = ""
    roles: tuple[str, ...]
    password_hash: str | None = Field(default=None, description="argon2id, made by set-password")
    notes: str = ""

    @field_validator("roles")
    @classmethod
    def _known_roles(cls, roles: tuple[str, ...]) -> tuple[str, ...]:
        for role in roles:
            if role not in ROLES:
                meant = did_you_mean(role, ROLES)
                raise ValueError("; ".join(filter(None, (f"there is no role {role}", meant))))
        return roles

    @field_validator("password_hash")
    @classmethod
    def _is_hash(cls, value: str | None) -> str | None:
        if value and not value.startswith("$argon2id$"):
            raise ValueError("is not an argon2id hash; a plain password must never stand here")
        return value


class CountyUsers(FrozenModel):
    """The users file of one county."""

    county_id: str
    description: str = ""
    users: tuple[User, ...]

    @model_validator(mode="after")
    def _names_once(self) -> Self:
        names = [user.username for user in self.users]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"user {twice[0]} stands twice")
        return self


def read_users(path: Path) -> CountyUsers:
    """Read and check a users file.

    Raises
    ------
    ConfigError
        The file is missing or not valid; it holds a plain password.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ConfigError(f"{path} does not exist") from error
    except json.JSONDecodeError as error:
        raise ConfigError(
            f"{path} is not valid JSON at line {error.lineno}: {error.msg}"
        ) from error
    return parse(CountyUsers, data, where=str(path))


def all_users(settings: Settings) -> dict[str, CountyUsers]:
    """The users of every county that has a users file, by county."""
    found = {}
    for county_id in list_counties(settings):
        path = load_county(county_id, settings).users
        if path is not None and path.is_file():
            users = read_users(path)
            if users.county_id != county_id:
                raise ConfigError(f"{path} is of county {users.county_id}, not {county_id}")
            found[county_id] = users
    return found


def groups_of(username: str, settings: Settings) -> list[str]:
    """Groups ``<county>:<role>`` of a user over all counties, sorted."""
    return sorted(
        group(county_id, role)
        for county_id, county in all_users(settings).items()
        for user in county.users
        if user.username == username
        for role in user.roles
    )


def check_password(username: str, password: str, settings: Settings) -> bool:
    """Whether the password is the user's in some county; takes as long for an unknown user."""
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


def set_password(path: Path, username: str, password: str) -> None:
    """Put the hash of a new password into a users file.

    Raises
    ------
    ConfigError
        The user is not in the file or the password is too short.
    """
    from argon2 import PasswordHasher

    users = read_users(path)
    names = [user.username for user in users.users]
    if username not in names:
        raise ConfigError(
            f"{path} has no user {username}",
            examples=names,
            hint=did_you_mean(username, names),
        )
    if len(password) < SHORTEST_PASSWORD:
        raise ConfigError(f"A password needs {SHORTEST_PASSWORD} characters or more")
    data = json.loads(path.read_text(encoding="utf-8"))
    for user in data["users"]:
        if user["username"] == username:
            user["password_hash"] = PasswordHasher().hash(password)
    write_json(path, data)
