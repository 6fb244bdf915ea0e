"""A small TDS 7.4 server on loopback over a SQLite file, for tests of real ODBC drivers.

It serves what a reader needs: login (encrypted when a certificate is given), SELECT as batch or as
a prepared statement with parameters, cancelling, SQL Server's error numbers, and faults on demand.
"""

import socket
import ssl
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.tds_channel import ATTENTION, Channel, ClosedError
from tests.support.tds_login import (
    DONE,
    ENCRYPT_NOT_SUPPORTED,
    ENCRYPT_ON,
    NAME,
    done,
    login_reply,
    prelogin_reply,
    read_login,
    read_prelogin,
)
from tests.support.tds_tsql import Database, Result, SqlError
from tests.support.tds_types import (
    b_varchar,
    encode,
    read_parameter,
    type_info,
    us_varchar,
)

BATCH, RPC = 0x01, 0x03
COLMETADATA, ROW, ERROR, RETURN_STATUS, RETURN_VALUE = 0x81, 0xD1, 0xAA, 0x79, 0xAC
DONE_PROC, DONE_IN_PROC = 0xFE, 0xFF
MORE, FAILED, COUNT, ATTENTION_SEEN = 0x01, 0x02, 0x10, 0x20
EXECUTESQL, PREPARE, EXECUTE, PREPEXEC, UNPREPARE = 10, 11, 12, 13, 15
PROCEDURES = {
    "sp_executesql": EXECUTESQL,
    "sp_prepare": PREPARE,
    "sp_execute": EXECUTE,
    "sp_prepexec": PREPEXEC,
    "sp_unprepare": UNPREPARE,
}
ERRORS = {
    "deadlock": (
        1205,
        "Transaction was deadlocked and has been chosen as the deadlock victim.",
        13,
    ),
    "dropped": (208, "Invalid object name 'dbo.property_val'.", 16),
}
USER, PASSWORD = "reader", "pa;ss}w{ord"


@dataclass
class Fault:
    """What goes wrong in the SELECTs that hold `match`, `times` times over.

    `kind` is deadlock (error 1205), dropped (error 208), cut (the connection breaks) or slow
    (`seconds` before each row); it strikes after `rows` rows.
    """

    kind: str
    match: str
    rows: int = 0
    times: int = 1
    seconds: float = 0.0


@dataclass
class TdsServer:
    """A server that is listening; `port` is free and chosen by the system."""

    path: Path
    context: ssl.SSLContext | None = None
    statistics: bool = True
    faults: list[Fault] = field(default_factory=list)
    statements: list[str] = field(default_factory=list)
    logins: list[dict[str, object]] = field(default_factory=list)
    cancelled: int = 0
    certificate: Path | None = None
    port: int = 0

    @contextmanager
    def running(self) -> Iterator["TdsServer"]:
        """Serve until the block ends."""
        with socket.create_server(("127.0.0.1", 0)) as listener:
            self.port = listener.getsockname()[1]
            threading.Thread(target=self._accept, args=(listener,), daemon=True).start()
            yield self

    def selects(self, text: str) -> list[str]:
        """SELECTs that hold `text`."""
        return [statement for statement in self.statements if text in statement]

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            try:
                Session(self, Channel(connection)).serve()
            except (ClosedError, OSError, ssl.SSLError):
                return

    def strike(self, sql: str) -> Fault | None:
        """The fault that is due for a statement, counted down."""
        for fault in self.faults:
            if fault.times > 0 and fault.match in sql:
                fault.times -= 1
                return fault
        return None


class Session:
    """One connection from PRELOGIN to its end."""

    def __init__(self, server: TdsServer, channel: Channel) -> None:
        self.server, self.channel = server, channel
        self.prepared: dict[int, str] = {}

    def serve(self) -> None:
        _, data = self.channel.message()
        self._prelogin(data)
        _, data = self.channel.message()
        login = read_login(data)
        self.server.logins.append(login | {"encrypted": self.server.context is not None})
        problem = self._refusal(login)
        if problem:
            self.channel.reply(_error(problem) + done(DONE, FAILED))
            return
        self.database = Database(self.server.path, NAME, statistics=self.server.statistics)
        try:
            self.channel.packet_size = min(int(str(login["packet_size"])), 8192)
            self.channel.reply(login_reply(self.channel.packet_size, bool(login["extensions"])))
            while True:
                self._answer(*self.channel.message())
        finally:
            self.database.close()

    def _refusal(self, login: dict[str, object]) -> SqlError | None:
        if (login["user"], login["password"]) != (USER, PASSWORD):
            return SqlError(18456, f"Login failed for user '{login['user']}'.", 14)
        if login["database"] != NAME:
            text = f'Cannot open database "{login["database"]}" requested by the login.'
            return SqlError(4060, text, 11)
        return None

    def _prelogin(self, data: bytes) -> None:
        wanted = read_prelogin(data).get(1, b"\2")[0]
        answer = ENCRYPT_ON if self.server.context else ENCRYPT_NOT_SUPPORTED
        self.channel.reply(prelogin_reply(answer))
        if self.server.context and wanted != ENCRYPT_NOT_SUPPORTED:
            self.channel.start_tls(self.server.context)

    def _answer(self, kind: int, data: bytes) -> None:
        if kind == BATCH:
            self._batch(data[struct.unpack_from("<I", data)[0] :].decode("utf-16-le"))
        elif kind == RPC:
            self._call(memoryview(data)[struct.unpack_from("<I", data)[0] :])
        elif kind == ATTENTION:
            self._attend(b"")
        else:
            self.channel.reply(done(DONE, 0))

    def _batch(self, sql: str) -> None:
        self._select(sql, {}, token=DONE, tail=b"")

    def _call(self, data: memoryview) -> None:
        procedure, arguments = read_call(data)
        values = [value for _, value in arguments]
        if procedure == UNPREPARE:
            self.channel.reply(_status() + done(DONE_PROC, 0))
        elif procedure == EXECUTESQL:
            self._select(
                str(values[0]), _bound(arguments[2:], values[1:2]), DONE_IN_PROC, _end(None)
            )
        elif procedure in (PREPARE, PREPEXEC):
            handle = len(self.prepared) + 1
            self.prepared[handle] = str(values[2])
            if procedure == PREPARE:
                self.channel.reply(_end(handle))
            else:
                bound = _bound(arguments[3:], values[1:2])
                self._select(self.prepared[handle], bound, DONE_IN_PROC, _end(handle))
        elif procedure == EXECUTE:
            sql = self.prepared[int(str(values[0]))]
            self._select(sql, _bound(arguments[1:], []), DONE_IN_PROC, _end(None))
        else:
            problem = SqlError(2812, f"Could not find stored procedure '{procedure}'.")
            self.channel.reply(_error(problem) + done(DONE_PROC, FAILED))

    def _select(self, sql: str, values: dict[str, object], token: int, tail: bytes) -> None:
        self.server.statements.append(sql)
        fault = self.server.strike(sql)
        try:
            result = self.database.run(sql, values)
            self._send(result, token, tail, fault)
        except SqlError as error:
            end = DONE if token == DONE else DONE_PROC
            self.channel.reply(self._pending + _error(error) + done(end, FAILED))

    def _send(self, result: Result, token: int, tail: bytes, fault: Fault | None) -> None:
        self._pending = b""
        pending = _metadata(result) if result.columns else b""
        count = 0
        for count, row in enumerate(result.rows, 1):
            if fault and count > fault.rows:
                self._strike(fault, pending)
            pending += bytes([ROW]) + b"".join(map(encode, result.columns, row))
            if len(pending) > self.channel.packet_size:
                if self.channel.waiting():
                    self._cancelled(pending)
                    return
                pending = self.channel.reply(pending, last=False)
        status = (COUNT if result.columns else 0) | (MORE if tail else 0)
        self.channel.reply(pending + done(token, status, count) + tail)

    _pending = b""

    def _strike(self, fault: Fault, pending: bytes) -> None:
        if fault.kind == "cut":
            self.channel.reply(pending, last=False)
            self.channel.cut()
            raise ClosedError
        if fault.kind in ERRORS:
            self._pending = pending
            raise SqlError(*ERRORS[fault.kind])
        until = time.monotonic() + fault.seconds
        while time.monotonic() < until and not self.channel.waiting(0.02):
            pass

    def _cancelled(self, pending: bytes) -> None:
        """The client speaks while rows are sent: end the row and attend to it."""
        kind, _ = self.channel.message()
        if kind == ATTENTION:
            self._attend(pending)

    def _attend(self, pending: bytes) -> None:
        self.server.cancelled += 1
        self.channel.reply(pending + done(DONE, ATTENTION_SEEN))


def read_call(data: memoryview) -> tuple[object, list[tuple[str, object]]]:
    """Procedure (its number, or its name when unknown) and the named arguments of an RPC."""
    (length,) = struct.unpack_from("<H", data)
    procedure: object
    if length == 0xFFFF:
        (procedure,) = struct.unpack_from("<H", data, 2)
        at = 6
    else:
        name = bytes(data[2 : 2 + 2 * length]).decode("utf-16-le")
        procedure = PROCEDURES.get(name.lower().removeprefix("sys."), name)
        at = 4 + 2 * length
    arguments = []
    while at < len(data):
        size = data[at]
        name = bytes(data[at + 1 : at + 1 + 2 * size]).decode("utf-16-le")
        value, at = read_parameter(data, at + 2 + 2 * size)
        arguments.append((name, value))
    return procedure, arguments


def _bound(arguments: list[tuple[str, object]], declared: list[object]) -> dict[str, object]:
    """Values by parameter name; unnamed ones take the names of the declaration in order."""
    names = (
        [part.split()[0] for part in str(declared[0] or "").split(",") if part.strip()]
        if declared
        else []
    )
    names += [f"@P{number + 1}" for number in range(len(names), len(arguments))]
    return {given or names[at]: value for at, (given, value) in enumerate(arguments)}


def _metadata(result: Result) -> bytes:
    columns = [
        struct.pack("<IH", 0, 0x09) + type_info(column) + b_varchar(column.name)
        for column in result.columns
    ]
    return struct.pack("<BH", COLMETADATA, len(columns)) + b"".join(columns)


def _error(error: SqlError) -> bytes:
    body = struct.pack("<IBB", error.number, 1, error.severity) + us_varchar(error.message)
    body += b_varchar("TDSTEST") + b_varchar("") + struct.pack("<I", 1)
    return struct.pack("<BH", ERROR, len(body)) + body


def _status() -> bytes:
    return struct.pack("<Bi", RETURN_STATUS, 0)


def _end(handle: int | None) -> bytes:
    """Return status, the handle of a prepared statement, and the end of a procedure."""
    value = b""
    if handle is not None:
        value = struct.pack("<BHB", RETURN_VALUE, 0, 0) + struct.pack("<BIH", 1, 0, 0)
        value += bytes([0x26, 4, 4]) + struct.pack("<i", handle)
    return _status() + value + done(DONE_PROC, 0)
