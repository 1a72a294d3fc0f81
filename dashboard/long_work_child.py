"""The process that works something long out: bounded, and gone when nobody waits for it.

It gets the task and its payload as one line of JSON on standard input, and answers on standard
output: a line for each step, then one with the result or with why there is none. It knows no
database, and ends when its input does, which is when whoever started it is gone.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import threading
from contextlib import suppress
from typing import TextIO

# One thread is enough here, and each would claim memory under the limit.
os.environ.update({"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"})

# What can be asked for, as "module:function": `function(payload, tell) -> dict`, both sides JSON;
# `tell(done, of, words)` says how far it is.
TASKS = {
    "pack_files": "dashboard.pack_work:pack_files",
    "site_plans": "dashboard.plan_work:site_plans",
}
# What the libraries map comes to 500 MB before anything is worked out.
MEMORY_BYTES = 2_000_000_000
TOO_LARGE = "needs more memory than a calculation may have: ask for less at once"


def limit() -> None:
    """Refuse this process more memory, where the system can (Linux and macOS)."""
    with suppress(ImportError):
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
        # No file that tells how it died: it would hold the payload.
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def end_with_input() -> None:
    """Wait for the end of standard input, and end this process whatever it is doing."""
    # Not through `sys.stdin`: its lock, held at the end, would be a crash.
    while os.read(0, 1):
        pass
    os._exit(1)


def answer(request: str, answers: TextIO) -> None:
    """Do what a request asks, and write how far it is and what came of it."""
    asked = json.loads(request)

    def send(**message: object) -> None:
        answers.write(json.dumps(message) + "\n")
        answers.flush()

    def tell(done: int, of: int, words: str) -> None:
        send(done=done, of=of, words=words)

    try:
        module, function = asked["task"].split(":")
        task = getattr(importlib.import_module(module), function)
        send(result=task(asked["payload"], tell))
    except MemoryError:
        send(message=TOO_LARGE)
    except Exception as error:
        from dashboard.errors import report_error

        send(
            message=f"could not be worked out ({report_error(error)}): give the error number to "
            "whoever runs the dashboard"
        )


if __name__ == "__main__":
    # What a solver prints goes nowhere: only answers reach whoever asked.
    only_answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    said = sys.stdin.readline()
    limit()
    threading.Thread(target=end_with_input, daemon=True).start()
    answer(said, only_answers)
