"""Permission checks for runs and exports, recorded in the audit log."""

from datetime import datetime
from functools import partial

from terrafusion_lib.access.decide import require
from terrafusion_lib.access.grants import Grants
from terrafusion_lib.core.errors import AccessDeniedError
from terrafusion_lib.core.settings import Settings
from terrafusion_lib.store.store import Store

GRANTED, REFUSED = "access:granted", "access:refused"


def require_audited(
    store: Store, settings: Settings, county_id: str, *permissions: str, at: datetime
) -> Grants:
    """`access.decide.require`, with the decision recorded in the audit log.

    Raises
    ------
    AccessDeniedError
        A permission is missing.
    """
    note = partial(store.audit, username=settings.user, county_id=county_id, at=at)
    try:
        granted = require(settings, county_id, *permissions)
    except AccessDeniedError as error:
        note(REFUSED, permission=error.permission, reason_code=error.reason_code)
        raise
    note(GRANTED, permissions=list(permissions), grants=list(granted))
    return granted
