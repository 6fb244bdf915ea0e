"""Locks between processes, and what a process leaves when it is killed while it holds one."""

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from terrafusion_lib.core.errors import LoadError, RunError
from terrafusion_lib.core.locks import exclusive, one_writer, replacing


def refusal() -> RunError:
    return RunError("held")


def test_a_lock_is_refused_while_another_process_holds_it_and_free_after_a_kill(
    tmp_path: Path,
) -> None:
    lock = tmp_path / "new" / ".lock"
    code = (
        "import time\nfrom pathlib import Path\n"
        "from terrafusion_lib.core.locks import one_writer\n"
        f"with one_writer(Path({str(lock)!r})):\n"
        "    print('held', flush=True)\n    time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline().strip() == "held"
        with pytest.raises(RunError), exclusive(lock, refusal):
            pass
        with pytest.raises(LoadError), one_writer(lock):
            pass
        other.kill()
        other.wait()
    with one_writer(lock):
        pass


def test_a_lock_is_held_once_in_a_process_and_freed_by_an_error(tmp_path: Path) -> None:
    lock = tmp_path / ".lock"
    with exclusive(lock, refusal), pytest.raises(RunError), exclusive(lock, refusal):
        pass
    with pytest.raises(OSError, match="disk"), exclusive(lock, refusal):
        raise OSError("disk full")
    with exclusive(lock, refusal):
        pass


def test_a_patient_one_waits_until_the_lock_is_free(tmp_path: Path) -> None:
    lock, order = tmp_path / ".lock", list[str]()
    began = threading.Event()

    def wait() -> None:
        began.set()
        with exclusive(lock, refusal, patience=60):
            order.append("second")

    second = threading.Thread(target=wait)
    with exclusive(lock, refusal):
        second.start()
        began.wait()
        with pytest.raises(RunError), exclusive(lock, refusal, patience=0.2):
            pass
        order.append("first")
    second.join()
    assert order == ["first", "second"]


def test_a_file_is_replaced_whole_by_one_writer_at_a_time(tmp_path: Path) -> None:
    target = tmp_path / "store.db"
    (tmp_path / ".store.db.killed.tmp").write_text("left by a killed process")
    with replacing(target) as temporary:
        temporary.write_text("new")
        with pytest.raises(LoadError), replacing(target):
            pass
    assert target.read_text() == "new"
    assert not list(tmp_path.glob("*.tmp"))
