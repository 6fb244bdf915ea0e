"""Secrets by reference: configuration says where a secret is stored, never the secret."""

import os
from pathlib import Path

from terrafusion_lib.core.errors import ConfigError
from terrafusion_lib.core.packages import optional_package

SCHEMES = ("env", "file", "keyring")


def is_reference(value: str) -> bool:
    """Whether `value` has the form ``env:NAME``, ``file:PATH`` or ``keyring:SERVICE/USER``."""
    return value.partition(":")[0] in SCHEMES and ":" in value


def resolve(value: str, *, what: str = "secret") -> str:
    """The text a reference points to; a plain value is returned unchanged.

    Raises
    ------
    ConfigError
        The variable, file or keyring entry does not exist. The message shows only the reference.
    """
    scheme, _, name = value.partition(":")
    if not is_reference(value):
        return value
    secret: str | None
    if scheme == "env":
        secret = os.environ.get(name)
    elif scheme == "file":
        path = Path(name)
        secret = path.read_text(encoding="utf-8").strip() if path.is_file() else None
    else:
        secret = _from_keyring(name)
    if not secret:
        raise ConfigError(
            f"The {what} is not set: {value} is empty",
            hint={
                "env": f"export {name}=… in the shell or service that starts TerraFusion",
                "file": f"write it to {name}, readable by this user only",
                "keyring": f"keyring set {name.replace('/', ' ')}",
            }[scheme],
        )
    return secret


def _from_keyring(name: str) -> str | None:
    keyring = optional_package("keyring", "A keyring: reference")
    service, _, user = name.partition("/")
    password: str | None = keyring.get_password(service, user)
    return password
