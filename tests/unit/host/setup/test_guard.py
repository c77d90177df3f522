"""What a guard promises: nothing lives longer than the process that asked for it."""

import fcntl
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.paths import ROOT
from tinyrobust.host.setup.alone import alone
from tinyrobust.host.setup.guard import guarded

TREE = "sleep 40 & sh -c 'sleep 40' & echo $$; wait"
"""A command with children and grandchildren that nobody has told to end."""
PARENT = """
import sys
from pathlib import Path
from tinyrobust.host.setup.alone import alone
from tinyrobust.host.setup.guard import guarded
root = Path(sys.argv[1])
with alone(root) as lock, guarded(["sh", "-c", sys.argv[2]], root, [lock]) as process:
    print(process.stdout.readline().strip(), flush=True)
    process.wait()
"""


def session(leader):
    """The processes of a session, zombies left out (proc(5): the state, two fields, the
    session).
    """
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        found += [stat.parent.name] * (int(fields[3]) == leader and fields[0] != "Z")
    return found


def is_locked(root):
    with (root / ".setup-lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def test_kill_9_ends_the_whole_tree_and_then_frees_the_lock(tmp_path):
    argv = [sys.executable, "-c", PARENT, str(tmp_path), TREE]
    with subprocess.Popen(argv, cwd=ROOT, stdout=subprocess.PIPE, text=True) as parent:
        leader = int(parent.stdout.readline())
        deadline = time.monotonic() + 10
        while len(session(leader)) < 3 and time.monotonic() < deadline:
            time.sleep(0.02)
        assert is_locked(tmp_path)
        parent.kill()
    with alone(tmp_path):  # waits: the guard holds it as long as anything of the tree runs
        assert session(leader) == []


def test_what_outlives_its_command_is_ended_too(tmp_path):
    with guarded(["sh", "-c", "sleep 40 >/dev/null 2>&1 & echo $$"], tmp_path) as process:
        leader = int(process.communicate()[0])
    assert process.returncode == 0
    assert session(leader) == []


@pytest.mark.parametrize("fault", [KeyboardInterrupt, ValueError])
def test_leaving_the_block_ends_it(tmp_path, fault):
    leaders = []

    def interrupted():
        with guarded(["sh", "-c", TREE], tmp_path) as process:
            leaders.append(int(process.stdout.readline()))
            raise fault

    with pytest.raises(fault):
        interrupted()
    assert session(leaders[0]) == []


@pytest.mark.parametrize(
    ("command", "status", "said"),
    [
        (["sh", "-c", "echo out; echo err >&2; exit 7"], 7, ("out\n", "err\n")),
        (["sh", "-c", "kill -9 $$"], 128 + signal.SIGKILL, ("", "")),
        (["no-such-program"], 127, ("", "no-such-program: No such file or directory\n")),
    ],
)
def test_status_and_output_are_the_commands(tmp_path, command, status, said):
    with guarded(command, tmp_path, environment=dict(os.environ)) as process:
        assert process.communicate() == said
    assert process.returncode == status
