"""Facts that a newer version of the program counts, counted of rows that were loaded before."""

from __future__ import annotations

from sqlalchemy import Engine

from dashboard.intake.pathway_facts import PathwayFacts
from dashboard.rules.groups import ethnicity_group_of, sex_of
from queries import recount
from queries.database import reading, writing
from queries.load import bump_version
from queries.scope import EVERYTHING


def count_missing(engine: Engine) -> int:
    """Count the steps and scores of referrals loaded by an older version; of how many loads.

    One transaction a load: cut off in between, the next start goes on.
    """
    with reading(engine, EVERYTHING) as connection:
        loads = recount.loads_without_pathway(connection)
    for load_id in loads:
        facts = PathwayFacts()
        with writing(engine) as connection:
            # Another process that started at the same time may have counted it meanwhile.
            if load_id not in recount.loads_without_pathway(connection):
                continue
            recount.rename(connection, load_id, "sex", sex_of)
            recount.rename(connection, load_id, "ethnicity_group", ethnicity_group_of)
            for rows in recount.referrals_of_load(connection, load_id):
                facts.add(rows.rename(columns={"part_id": "part_key"}))
            counted = facts.frame().rename(columns={"part_key": "part_id"})
            recount.write_pathway(connection, counted.astype({"part_id": "int64"}))
            bump_version(connection)
    return len(loads)
