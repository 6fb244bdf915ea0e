"""ClickHouse's HTTP interface in front of the engine in this process: enough for the client."""

import threading
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

OF_HTTP = {
    "buffer_size",
    "client_protocol_version",
    "compress",
    "database",
    "default_format",
    "enable_http_compression",
    "http_headers_progress_interval_ms",
    "query",
    "query_id",
    "send_progress_in_http_headers",
    "session_id",
    "wait_end_of_query",
}
"""Parameters of the address that are no settings of the engine."""


class Engine:
    """The engine on a folder, asked as its HTTP interface is asked."""

    def __init__(self, folder: Path, password: str) -> None:
        import chdb

        self.password = password
        self.folder = folder
        self.lock = threading.Lock()
        self.connection = chdb.connect(str(folder / "engine"))

    def answer(self, asked: dict[str, str], body: bytes) -> bytes:
        with self.lock:
            self._set(asked)
            values = {
                name.removeprefix("param_"): value
                for name, value in asked.items()
                if name.startswith("param_")
            }
            kind = asked.get("default_format", "TabSeparated")
            statement = self._statement(asked, body)
            return bytes(self.connection.query(statement, kind, params=values).bytes())

    def _set(self, asked: dict[str, str]) -> None:
        if asked.get("database"):
            self.connection.query(f"USE {asked['database']}")
        for name, value in asked.items():
            if name not in OF_HTTP and not name.startswith("param_"):
                self.connection.query(f"SET {name} = '{value}'")

    def _statement(self, asked: dict[str, str], body: bytes) -> str:
        """The statement; the rows of an insert go through a file."""
        statement = asked.get("query") or body.decode()
        if not statement.upper().startswith("INSERT"):
            return statement
        path = self.folder / "insert.data"
        path.write_bytes(body)
        head, _, kind = statement.strip().rpartition(" FORMAT ")
        return f"{head} SELECT * FROM file('{path}', '{kind.strip()}')"


class Handler(BaseHTTPRequestHandler):
    """Requests of clickhouse-connect."""

    protocol_version = "HTTP/1.1"
    engine: Engine

    def do_GET(self) -> None:
        self.reply(b"")

    def do_POST(self) -> None:
        import lz4.frame

        if self.headers.get("Transfer-Encoding") == "chunked":
            body = b"".join(self.chunks())
        else:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.headers.get("Content-Encoding") == "lz4":
            body = lz4.frame.decompress(body)
        self.reply(body)

    def chunks(self) -> Iterator[bytes]:
        while size := int(self.rfile.readline(), 16):
            yield self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()

    def reply(self, body: bytes) -> None:
        login = b64decode(self.headers.get("Authorization", "")[len("Basic ") :]).decode()
        if login.partition(":")[2] != self.engine.password:
            self.send(403, b"Code: 516. DB::Exception: Authentication failed")
            return
        try:
            found = self.engine.answer(dict(parse_qsl(urlsplit(self.path).query)), body)
        except Exception as error:  # noqa: BLE001 - whatever the engine says goes back
            self.send(500, str(error).encode())
        else:
            self.send(200, found)

    def send(self, status: int, body: bytes) -> None:
        self.send_response(status)
        if status != 200:
            self.send_header("X-ClickHouse-Exception-Code", "1")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def serving(folder: Path, password: str) -> Iterator[str]:
    """Serve the engine on `folder`; yields ``host:port``."""
    engine = Engine(folder, password)
    handler = type("Serving", (Handler,), {"engine": engine})
    web = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=web.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield f"127.0.0.1:{web.server_port}"
    finally:
        web.shutdown()
        web.server_close()
        thread.join()
        engine.connection.close()
