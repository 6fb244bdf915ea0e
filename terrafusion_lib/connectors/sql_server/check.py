"""The connection check for SQL Server, line by line."""

from collections.abc import Callable

from terrafusion_lib.connectors.protocol import CheckItem
from terrafusion_lib.connectors.sql_server import catalog
from terrafusion_lib.connectors.sql_server.odbc_connection import reach
from terrafusion_lib.connectors.sql_server.odbc_drivers import check_library
from terrafusion_lib.connectors.sql_server.odbc_errors import NotPermittedError
from terrafusion_lib.connectors.sql_server.odbc_session import OdbcSession
from terrafusion_lib.core.errors import TerraFusionError


def check_server(session: OdbcSession) -> list[CheckItem]:
    """Driver, credentials, network, login and permissions; a failure ends its chain."""
    driver = _line("driver", lambda: _driver(session))
    credentials = _line("credentials", lambda: _credentials(session))
    items = [driver, credentials]
    if credentials.ok:
        items.append(_line("server", lambda: _reach(session)))
    if all(item.ok for item in items):
        items.append(_line("login", lambda: _log_in(session)))
    if all(item.ok for item in items):
        items.append(_freshness(session))
    return items


def _line(name: str, look: Callable[[], str]) -> CheckItem:
    try:
        return CheckItem(name, True, look())
    except TerraFusionError as error:
        detail = error.what
        if error.examples:
            detail += f" ({error.examples[0]})"
        hint = ". ".join(text for text in (error.cause, error.hint) if text)
        return CheckItem(name, False, detail, hint)


def _driver(session: OdbcSession) -> str:
    check_library(session.driver)
    return session.driver.label


def _credentials(session: OdbcSession) -> str:
    login = session.login
    return f"user {login.user}" if login.user else "the account that runs TerraFusion (Kerberos)"


def _reach(session: OdbcSession) -> str:
    login = session.login
    reach(login, session.options.login_timeout)
    if login.is_instance:
        return f"{login.server}: a named instance, resolved at login"
    return f"{login.server} answers"


def _log_in(session: OdbcSession) -> str:
    [(version, name, state)] = session.rows(catalog.SERVER)
    how = "encrypted" if session.login.encrypt else "NOT encrypted"
    return f"SQL Server {version}, database {name}, {state}, {how}"


def _freshness(session: OdbcSession) -> CheckItem:
    try:
        session.rows(catalog.FRESHNESS, table="dbo.property")
    except NotPermittedError:
        return CheckItem(
            "freshness",
            None,
            "the server does not report when tables were last written, so every run reads them",
            "optional: GRANT VIEW SERVER STATE to this login",
        )
    return CheckItem("freshness", True, "the server reports when tables were last written")
