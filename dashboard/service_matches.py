"""What somebody says of two entries that may be the same service: a load, with history and undo."""

from __future__ import annotations

import hashlib

import pandas as pd
from sqlalchemy import Engine

from dashboard.access import reader
from dashboard.data import data_state
from queries.load import CleanLoad, LoadRecord, save


def say_whether_same(
    engine: Engine, provider: str, service_id: str, other_service_id: str, is_same: bool, user: str
) -> LoadRecord:
    """Keep whether a service of a provider's return is the one a directory lists under another id.

    If it is, both are one service from now on, with the capacity of the one and the places of the
    other; neither entry is changed. `AlreadyLoadedError` when exactly this is in force.
    """
    row = {
        "provider": provider,
        "service_id": service_id,
        "other_service_id": other_service_id,
        "is_same": is_same,
    }
    part_key = f"{provider} {service_id} {other_service_id}"
    clean = CleanLoad(
        dataset="service_matches",
        file_name="set on the page Providers",
        sha256=hashlib.sha256(f"{part_key} {is_same}".encode()).hexdigest(),
        rows_read=1,
        parts=pd.DataFrame({"part_key": [part_key], "period_start": [None], "period_end": [None]}),
        rows={"service_match": pd.DataFrame([{**row, "part_key": part_key}])},
    )
    # Beside the demonstration, what is said belongs to it: it must not make way for one answer.
    return save(
        engine,
        clean,
        is_demonstration=data_state().is_demonstration,
        loaded_by=user,
        person_id=reader().person_id,
    )
