"""A real PostgreSQL of the test session: own folder, free loopback port, stopped at the end."""

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.require import require

FAST = "-c fsync=off -c full_page_writes=off -c synchronous_commit=off -c max_wal_size=4GB"


def binaries() -> Path | None:
    """Newest folder of PostgreSQL's server programs that Debian's packages installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    return found[-1].parent if found else None


@contextmanager
def server(options: str = FAST) -> Iterator[str]:
    """Start a server and yield its SQLAlchemy URL; the system refuses to run it as root."""
    folder = binaries()
    require(folder, "PostgreSQL is not installed: apt-get install postgresql")
    assert folder is not None
    as_user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
    prefix = as_user if os.geteuid() == 0 else []
    home = Path(tempfile.mkdtemp(prefix="terrafusion-postgres-"))
    home.chmod(0o755)
    data = home / "data"
    data.mkdir(mode=0o700)
    if prefix:
        shutil.chown(data, "postgres", "postgres")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

    def run(*command: str) -> None:
        done = subprocess.run(
            [*prefix, *command], capture_output=True, text=True, check=False, cwd="/"
        )
        require(done.returncode == 0, f"{command[0]} failed: {done.stderr[-500:]}")

    run(str(folder / "initdb"), "-D", str(data), "-U", "test", "-A", "trust", "-E", "UTF8", "-N")
    listen = f"-c listen_addresses=127.0.0.1 -c port={port} -c unix_socket_directories={data}"
    control = str(folder / "pg_ctl")
    log = str(data / "log")
    run(control, "-D", str(data), "-l", log, "-w", "-o", f"{listen} {options}", "start")
    try:
        yield f"postgresql+psycopg2://test@127.0.0.1:{port}/postgres"
    finally:
        run(control, "-D", str(data), "-m", "immediate", "stop")
        shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """URL of the session's server."""
    with server() as url:
        yield url


@pytest.fixture
def postgres_url(postgres_server: str) -> Iterator[str]:
    """URL of an empty database of its own."""
    import sqlalchemy as sa

    name = f"test_{os.urandom(4).hex()}"
    engine = sa.create_engine(postgres_server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    yield postgres_server.rpartition("/")[0] + f"/{name}"
    with engine.connect() as connection:
        connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")
    engine.dispose()
