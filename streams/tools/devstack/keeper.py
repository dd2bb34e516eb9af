"""Runs one server as a child, and ends it when the starting process is gone, however that one ended.

A script of its own, started as `python -I -S keeper.py STARTER FOLDER COMMAND…`. STARTER is the starting process's id.
Standard input is a pipe, which closes when that process dies, `kill -9` included. Prints the server's process id; exits
with its exit code, or with the number of the signal that ended it. If FOLDER is not empty, it is removed after the
starter's death. Standard library only.
"""

from __future__ import annotations

import ctypes
import os
import select
import shutil
import signal
import subprocess
import sys
from pathlib import Path

PR_SET_PDEATHSIG = 1
LONGEST_BLIND_S = 2.0


def die_with_keeper() -> None:
    """On Linux the kernel kills the server when the keeper dies; called between fork and exec."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def wait(child: subprocess.Popen[bytes], starter: int) -> bool:
    """Wait until the server has ended (True) or its starter is gone (False)."""
    woken, waker = os.pipe()
    os.set_blocking(waker, False)
    signal.set_wakeup_fd(waker, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    while child.poll() is None:
        readable, _, _ = select.select([0, woken], [], [], LONGEST_BLIND_S)
        if woken in readable:
            os.read(woken, 512)
        # The parent's id changes even where a forked copy of the starter still holds the pipe open.
        if 0 in readable or os.getppid() != starter:
            return False
    return True


def main(starter: str, folder: str, *command: str) -> int:
    """Run `command` for the process `starter`; its output goes to standard error."""
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=2, preexec_fn=die_with_keeper)
    try:
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
        os.write(1, b"%d\n" % child.pid)
        os.close(1)
        ended = wait(child, int(starter))
    finally:
        child.kill()
        child.wait()
    if not ended and folder:
        shutil.rmtree(folder, ignore_errors=True)
        shutil.rmtree(Path(folder).parent, ignore_errors=True)
    return abs(int(child.returncode))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
