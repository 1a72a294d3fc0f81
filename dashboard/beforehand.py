"""Judges every board while nobody waits for it: after the start, and after each load."""

from __future__ import annotations

import threading
import time

from dashboard import drain
from dashboard.coverage import ward_coverage
from dashboard.data import data_state, engine, fetch_shared, one_state
from dashboard.errors import fault_of_database, report_error
from dashboard.filters import newest_as_at
from dashboard.settings import settings
from queries.places import boards
from queries.scope import EVERYTHING

# How soon after a load it begins.
LOOK_EVERY_SECONDS = 20.0


def start() -> None:
    """Begin to look after it, in a thread that ends with the process.

    Only where nobody signs in: who does sees one board or a few, and answers are kept for what one sees.
    """
    if settings().sign_in == "none":
        threading.Thread(target=_look_after, daemon=True, name="beforehand").start()


def _look_after() -> None:
    done: object = None
    while not drain.draining.is_set():
        try:
            done = judge_new(done)
        except Exception as error:
            # Pages say it to whoever asks. Of a database that is away it is tried again.
            if fault_of_database(error) is None:
                report_error(error)
                return
        drain.draining.wait(LOOK_EVERY_SECONDS)


def judge_new(done: object) -> object:
    """Judge every board as it is by default, unless that was `done`; what is done now.

    After each board it rests as long as that took, so that whoever clicks meanwhile is answered.
    """
    with one_state():
        now = data_state().version, newest_as_at()
        codes = [] if now == done else boards(engine(), EVERYTHING)["icb_code"].tolist()
    for code in codes:
        began = time.monotonic()
        with one_state():
            if (data_state().version, newest_as_at()) != now:
                return done
            fetch_shared(ward_coverage, EVERYTHING, code, now[1], False)
        if drain.draining.wait(time.monotonic() - began):
            return done
    return now
