"""Whether a process still runs: numbers are used again, machines differ, ended ones linger."""

import os
import subprocess
import sys

import psutil

from terrafusion_lib.core.processes import is_alive, is_gone, lives, this_process


def test_a_process_number_used_again_is_another_process() -> None:
    here = this_process()
    assert is_alive(here)
    assert not is_gone(here)
    assert is_gone(here | {"started": here["started"] - 60})
    assert is_gone(here | {"pid": 2**22 + 5})
    assert is_alive({name: here[name] for name in ("host", "pid")})


def test_what_is_not_known_is_neither_alive_nor_gone() -> None:
    for process in (this_process() | {"host": "elsewhere"}, {}):
        assert not is_alive(process)
        assert not is_gone(process)


def test_a_killed_process_is_gone_before_its_parent_has_noticed() -> None:
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as child:
        assert lives(child.pid)
        child.kill()
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        assert psutil.pid_exists(child.pid)
        assert not lives(child.pid)


def test_another_process_sees_this_one_as_it_describes_itself() -> None:
    code = f"""
from terrafusion_lib.core.processes import is_alive, this_process
here = {this_process()!r}
print(is_alive(here), this_process()["started"] >= here["started"])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True", "True"]
