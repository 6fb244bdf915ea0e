"""Options of the SQL Server connector."""

from pydantic import Field, field_validator, model_validator

from terrafusion_lib.connectors.sql_server.odbc_connection import Login
from terrafusion_lib.core.config import FrozenModel
from terrafusion_lib.core.errors import ConfigError
from terrafusion_lib.core.secrets import is_reference, resolve

SQLITE = "sqlite:///"


class SqlServerOptions(FrozenModel):
    """Options for the database. Any text may be a reference such as ``env:PACS_DB_HOST``."""

    host: str = Field(default="", description="Server, or SERVER\\INSTANCE")
    port: int | str = Field(default=1433, description="TCP port; not used with an instance")
    database: str = ""
    user: str = Field(default="", description="Empty: the account running TerraFusion (Kerberos)")
    password: str = Field(default="", description="A reference, never the password itself")
    db_schema: str = Field(
        default="dbo", alias="schema", description="Schema of tables named without one"
    )
    driver: str = Field(
        default="auto", description="auto, microsoft, freetds, or an ODBC driver's name or path"
    )
    encrypt: bool = Field(default=True, description="Refuse an unencrypted connection")
    trust_server_certificate: bool = Field(
        default=False, description="Do not verify the server's certificate"
    )
    server_certificate: str = Field(
        default="",
        description="PEM file of the server's certificate or its authority (FreeTDS only); "
        "default: the system's trusted certificates",
    )
    application_intent: str = Field(default="ReadOnly", pattern="^(ReadOnly|ReadWrite)$")
    login_timeout: int = Field(default=15, ge=1, description="Seconds")
    query_timeout: int = Field(default=900, ge=0, description="Seconds; 0 waits forever")
    retries: int = Field(default=4, ge=0, description="Retries per table")
    arrow: bool = Field(
        default=True,
        description="Read with arrow-odbc where it works (Microsoft's driver), otherwise pyodbc",
    )
    url: str = Field(default="", description="sqlite:///path to a file with the same tables")

    @field_validator("password")
    @classmethod
    def _refuse_plain(cls, value: str) -> str:
        if value and not is_reference(value):
            raise ValueError("use a reference such as env:PACS_DB_PASSWORD, not the password")
        return value

    @model_validator(mode="after")
    def _check_place(self) -> "SqlServerOptions":
        if self.url and not self.url.startswith(SQLITE):
            raise ValueError("url must begin with sqlite:///; for SQL Server set host")
        if not self.url and not (self.host and self.database):
            raise ValueError("set host and database, or url")
        return self

    def login(self) -> Login:
        """Server and login.

        Raises
        ------
        ConfigError
            References are empty (the error lists them all), or the port is not a number.
        """
        values, problems = {}, []
        for name in ("host", "port", "database", "user", "password"):
            try:
                values[name] = resolve(str(getattr(self, name)), what=name)
            except ConfigError as error:
                problems.append(error)
        if problems:
            raise ConfigError(
                "; ".join(problem.what for problem in problems),
                hint="; ".join(problem.hint or "" for problem in problems),
            )
        if not values["port"].isdecimal():
            raise ConfigError(f"port must be a number, not {values['port']!r}")
        return Login(
            host=values["host"],
            port=int(values["port"]),
            database=values["database"],
            user=values["user"],
            password=values["password"],
            encrypt=self.encrypt,
            trust_server_certificate=self.trust_server_certificate,
            server_certificate=self.server_certificate,
            application_intent=self.application_intent,
        )
