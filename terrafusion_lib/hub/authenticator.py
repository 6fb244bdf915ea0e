"""JupyterHub authenticator for the counties' users files."""

import asyncio
import time
from typing import Any

from jupyterhub.auth import Authenticator

from terrafusion_lib.access.accounts import check_password
from terrafusion_lib.access.users import groups_of
from terrafusion_lib.core.settings import get_settings

FAILURES = 5
WINDOW_SECONDS = 60.0


class CountyAuthenticator(Authenticator):  # type: ignore[misc]
    """Users of all counties; their groups are ``<county>:<role>``, reread at every refresh."""

    manage_groups = True
    allow_all = True

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._failures: dict[str, list[float]] = {}

    async def authenticate(self, _handler: Any, data: dict[str, str]) -> dict[str, Any] | None:
        """Check a login form; five failures lock a name for a minute."""
        username = data.get("username", "").strip().lower()
        recent = [
            at for at in self._failures.get(username, []) if at > time.monotonic() - WINDOW_SECONDS
        ]
        self._failures[username] = recent
        if len(recent) >= FAILURES:
            self.log.warning("too many failed logins of %s", username)
            return None
        settings = get_settings()
        password = data.get("password", "")
        if not await asyncio.to_thread(check_password, username, password, settings):
            recent.append(time.monotonic())
            return None
        return {"name": username, "groups": groups_of(username, settings)}

    async def refresh_user(self, user: Any, _handler: Any = None, **_options: Any) -> Any:
        """Current groups from the files; a user no longer in any file must log in again."""
        groups = groups_of(user.name, get_settings())
        return {"name": user.name, "groups": groups} if groups else False
