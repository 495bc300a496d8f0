"""A signal ends what it is to end, whichever thread the kernel gave it to."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
GIVEN = """
import signal, threading
def take():
    signal.pthread_kill(threading.get_ident(), signal.SIGTERM)
def soon():
    threading.Timer(0.5, take).start()  # by then the main thread waits
"""
WAYS = {
    "a command": """
from bot.commands.interrupt import interruptible
try:
    with interruptible():
        soon()
        threading.Event().wait()
except KeyboardInterrupt:
    print("ended")
""",
    "a bot": """
from starlette.applications import Starlette
from bot.commands.until_told import listening, run_until_told
class Work:
    def start(self): soon()
    def stop(self, seconds): return True
    def close(self): print("ended")
run_until_told(Work(), Starlette(), listening(None, 0))
""",
}


@pytest.mark.parametrize("code", WAYS.values(), ids=WAYS)
def test_a_signal_that_another_thread_was_given_is_heard_at_once(code: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", GIVEN + code], cwd=ROOT, capture_output=True, timeout=120, check=False
    )

    assert (ended.returncode, ended.stdout) == (0, b"ended\n"), ended.stderr.decode()
