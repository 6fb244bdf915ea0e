"""What a driver's message means: what failed, likely cause, next step, and if transient."""

import re
from dataclasses import dataclass

from terrafusion_lib.connectors.protocol import TransientError
from terrafusion_lib.core.errors import ConnectError, MissingDependencyError, TerraFusionError
from terrafusion_lib.core.log import mask_secrets

NATIVE = re.compile(r"\((-?\d+)\)|Native error: (-?\d+)")
STATE = re.compile(r"State: (\w{5})|^\('?(\w{5})'?|\[(\w{5})\]")

FREETDS_CUT = re.compile(r"\[FreeTDS\].*Unknown error")
"""FreeTDS's only message when a connection breaks between two rows."""

TRANSIENT_NATIVE = {
    -2,  # client timeout
    64,  # connection dropped during login
    233,
    701,  # memory
    1204,  # locks
    1205,  # deadlock victim
    1222,  # lock timeout
    8645,
    8651,
    10053,  # connection reset
    10054,
    10060,
    10928,  # Azure: limits and failovers
    10929,
    40143,
    40197,
    40501,
    40540,
    40613,
    49918,
    49919,
    49920,
    20003,  # FreeTDS: timeout, read and write errors, end of file
    20004,
    20006,
    20017,
    20047,
}
TRANSIENT_STATES = {"08S01", "08007", "HYT00", "HYT01", "40001", "01002"}
UNREACHABLE_NATIVE = {20002, 20009, 20013, 10061, 11001, 111, 113}
UNREACHABLE_STATES = {"08001"}
NO_PERMISSION = {229, 230, 262, 297, 300, 371}
TLS_WORDS = ("ssl", "tls", "certificate", "encrypt")


class NotPermittedError(ConnectError):
    """The login lacks a permission."""


@dataclass(frozen=True)
class Meaning:
    """The message for one kind of fault."""

    what: str
    cause: str
    hint: str


BY_NATIVE = {
    18456: Meaning(
        "{server} refused the login",
        "wrong user or password, or the login is disabled",
        "check the variables for user and password",
    ),
    18452: Meaning(
        "{server} refused the login: the account's domain is not trusted",
        "no user is set, so the account running TerraFusion was used",
        "set user and password, or run as a domain account with a Kerberos ticket (kinit)",
    ),
    4060: Meaning(
        "{server} has no database by that name that this login may open",
        "the database has a different name, or the login has no user in it",
        "check database in county.yaml; ask the administrator for db_datareader",
    ),
    208: Meaning(
        "A table does not exist",
        "it was renamed or dropped since the connection check",
        "terrafusion connect check <county>",
    ),
    207: Meaning(
        "A column does not exist",
        "it was renamed or dropped since the connection check",
        "terrafusion connect check <county>",
    ),
    229: Meaning(
        "This login may not read the table",
        "it lacks SELECT",
        "ask the administrator for db_datareader, or GRANT SELECT on the table",
    ),
}
TLS = Meaning(
    "{server} responded, but no encrypted connection could be made",
    "its certificate is not trusted here or names another host, or only one side requires "
    "encryption",
    "install the certificate (or the county's certificate authority) on this machine, or set "
    "server_certificate in county.yaml to its file; use trust_server_certificate: true only on a "
    "closed network",
)
PASSING = Meaning(
    "{server} interrupted the read",
    "a deadlock, a timeout or a network failure",
    "run again; finished tables are kept",
)
OTHER = Meaning("{server} cannot be read", "", "terrafusion connect check <county>")


def native_number(message: str) -> int | None:
    """SQL Server's (or FreeTDS's) error number; the last one, which is the cause."""
    numbers = [int(one or other) for one, other in NATIVE.findall(message)]
    return next((number for number in reversed(numbers) if number), None)


def sql_state(message: str) -> str:
    """The five-character SQLSTATE of a driver's message."""
    match = STATE.search(message)
    return next((group for group in match.groups() if group), "") if match else ""


def explain(
    error: Exception, *, server: str, secret: str, table: str | None = None, connected: bool
) -> TerraFusionError:
    """The driver's error as a TerraFusion error; never shows the password.

    Parameters
    ----------
    connected : bool
        Whether a connection to this server succeeded before; if so, an unreachable server is
        transient. Before the first connection, its port is known to respond.
    """
    text = _clean(str(error.args[-1] if error.args else error), secret)
    if "Can't open lib" in text or "Data source name not found" in text:
        return MissingDependencyError(
            f"The ODBC driver cannot be loaded: {text}", hint="terrafusion connect check <county>"
        )
    meaning, kind = _meaning(text, connected=connected)
    return kind(
        meaning.what.format(server=server),
        table=table,
        examples=[text],
        cause=meaning.cause or None,
        hint=meaning.hint,
    )


def _meaning(text: str, *, connected: bool) -> tuple[Meaning, type[ConnectError]]:
    number, state = native_number(text), sql_state(text)
    if number in NO_PERMISSION:
        return BY_NATIVE[229], NotPermittedError
    if number in BY_NATIVE:
        return BY_NATIVE[number], ConnectError
    unreachable = number in UNREACHABLE_NATIVE or state in UNREACHABLE_STATES
    if not connected and (unreachable or any(word in text.lower() for word in TLS_WORDS)):
        return TLS, ConnectError
    if unreachable:
        return PASSING, TransientError
    if number in TRANSIENT_NATIVE or state in TRANSIENT_STATES or FREETDS_CUT.search(text):
        return PASSING, TransientError
    return OTHER, ConnectError


def _clean(text: str, secret: str) -> str:
    if secret:
        text = text.replace(secret, "***")
    return " ".join(mask_secrets(text).split())
