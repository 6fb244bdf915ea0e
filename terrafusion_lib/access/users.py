"""Users of a county: ``county_configs/<county>/rbac/<county>_users.json``."""

import json
from pathlib import Path
from typing import Self

from pydantic import Field, field_validator, model_validator

from terrafusion_lib.access.roles import ROLES, group
from terrafusion_lib.core.config import FrozenModel, did_you_mean, parse
from terrafusion_lib.core.county import list_counties, load_county
from terrafusion_lib.core.errors import ConfigError
from terrafusion_lib.core.settings import Settings


class User(FrozenModel):
    """One user. Without a password hash, nobody can log in under the name."""

    username: str = Field(pattern=r"^[a-z][a-z0-9_.-]*$")
    full_name: str = ""
    email: str = ""
    roles: tuple[str, ...]
    password_hash: str | None = Field(
        default=None, description="argon2id hash written by set-password"
    )
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
            raise ValueError("is not an argon2id hash; never put a plain password here")
        return value


class CountyUsers(FrozenModel):
    """The users file of one county."""

    county_id: str
    description: str = ""
    sample: bool = Field(
        default=False, description="The passwords are public; these users are for trial use only"
    )
    users: tuple[User, ...]

    @property
    def configured(self) -> bool:
        """Whether any user here has a private password."""
        return not self.sample and any(user.password_hash for user in self.users)

    def named(self, username: str) -> User | None:
        """The user of that name, ignoring case, because Windows capitalizes accounts."""
        return next((user for user in self.users if user.username == username.lower()), None)

    @model_validator(mode="after")
    def _names_once(self) -> Self:
        names = [user.username for user in self.users]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"user {twice[0]} is listed twice")
        return self


def read_users(path: Path) -> CountyUsers:
    """Read and check a users file.

    Raises
    ------
    ConfigError
        The file is missing or invalid, or contains a plain password.
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


def county_users(county_id: str, settings: Settings) -> CountyUsers | None:
    """The users of a county; None where it has no users file.

    Raises
    ------
    ConfigError
        The county is unknown, or the file is invalid or belongs to another county.
    """
    path = load_county(county_id, settings).users
    if path is None or not path.is_file():
        return None
    users = read_users(path)
    if users.county_id != county_id:
        raise ConfigError(f"{path} belongs to county {users.county_id}, not {county_id}")
    return users


def all_users(settings: Settings) -> dict[str, CountyUsers]:
    """The users of every county that has a users file, by county."""
    listed = {name: county_users(name, settings) for name in list_counties(settings)}
    return {name: users for name, users in listed.items() if users}


def groups_of(username: str, settings: Settings) -> list[str]:
    """Groups ``<county>:<role>`` of a user over all counties, sorted."""
    return sorted(
        group(county_id, role)
        for county_id, county in all_users(settings).items()
        if (user := county.named(username))
        for role in user.roles
    )
