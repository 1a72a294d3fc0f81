"""What the Outcomes page reads with 50 thousand referrals and with 5 million, in one run:
`python -m tests.bench.outcomes`.

Three databases: the demonstration (about 46 thousand referrals of two boards); the same with copies
of it as other boards, 5 million referrals together; and the demonstration with 5 million referrals of
its own, where each fact counts as many more and their days spread further. For each question of the
page: milliseconds at the database, the median of some rounds. Times depend on the machine, so nothing
here is asserted; ratios are what counts.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

import numpy as np
from sqlalchemy import Engine, case, func, insert, literal, select, update

from dashboard import demonstration
from queries import pathway, tables
from queries.database import make_engine, upgrade, writing
from queries.day_counts import DAY_CODES
from queries.pathway import PCN, WARD, Cohort
from queries.scope import EVERYTHING

MILLIONS = 5_000_000
ROUNDS = 9
COHORT = Cohort("QDK", date(2026, 6, 30), date(2025, 7, 1), date(2026, 6, 1))
QUESTIONS: dict[str, Callable[[Engine], object]] = {
    "steps by month": lambda e: pathway.steps_by_month(e, EVERYTHING, COHORT),
    "steps by network": lambda e: pathway.steps_by_group(e, EVERYTHING, COHORT, PCN),
    "steps by source": lambda e: pathway.steps_by_group(e, EVERYTHING, COHORT, "source"),
    "steps by ward": lambda e: pathway.steps_by_group(e, EVERYTHING, COHORT, WARD),
    "days of all": lambda e: pathway.days_by_group(e, EVERYTHING, COHORT, "all"),
    "days by source": lambda e: pathway.days_by_group(e, EVERYTHING, COHORT, "source"),
    "days by ward": lambda e: pathway.days_by_group(e, EVERYTHING, COHORT, WARD),
    "scores of all": lambda e: pathway.scores_by_group(e, EVERYTHING, COHORT, "all"),
    "scores by ward": lambda e: pathway.scores_by_group(e, EVERYTHING, COHORT, WARD),
}
# What holds referrals, or is counted of them, and the columns that make a copy another board's.
COPIED = {
    tables.referral: ("pcn_code", "ward_code"),
    tables.referral_fact: ("pcn_code", "ward_code"),
    tables.pathway_fact: ("pcn_code",),
    tables.score_fact: ("pcn_code",),
}


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        found = {}
        for words, grow in (
            ("demonstration", lambda engine, times: None),
            ("5 million, other boards", add_boards),
            ("5 million, this board", make_denser),
        ):
            path = Path(name) / "bench.db"
            path.unlink(missing_ok=True)
            engine = make_engine(f"sqlite:///{path.as_posix()}")
            upgrade(engine)
            demonstration.make(engine, b"k" * 32)
            started = time.perf_counter()
            grow(engine, MILLIONS // referrals(engine) + 1)
            print(
                f"{words}: {referrals(engine):,} referrals counted, grown in "
                f"{time.perf_counter() - started:.0f} s",
                flush=True,
            )
            found[words] = {name: milliseconds(ask, engine) for name, ask in QUESTIONS.items()}
            engine.dispose()
    base, *others = found
    print(f"\n{'ms':18}{base:>16}" + "".join(f"{words:>26}" for words in others))
    for name in QUESTIONS:
        told = "".join(
            f"{found[words][name]:>18.1f} ({found[words][name] / found[base][name]:.1f}x)"
            for words in others
        )
        print(f"{name:18}{found[base][name]:>16.1f}{told}")


def referrals(engine: Engine) -> int:
    """How many referrals the facts count."""
    fact = tables.pathway_fact.c
    with engine.connect() as connection:
        asked = select(func.sum(fact.referrals)).where(fact.category == "all")
        return int(connection.scalar(asked) or 0)


def milliseconds(ask: Callable[[Engine], object], engine: Engine) -> float:
    """The median of some rounds, after one that does not count."""
    ask(engine)
    times = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        ask(engine)
        times.append(1000 * (time.perf_counter() - started))
    return statistics.median(times)


def add_boards(engine: Engine, times: int) -> None:
    """Copies of every referral and fact, each under codes of its own."""
    with writing(engine) as connection:
        for table, codes in COPIED.items():
            names = [column.name for column in table.columns]
            last = connection.scalar(select(func.count()).select_from(table))
            assert last
            for copy in range(1, times):
                suffix = literal(f"c{copy}")
                columns = {n: table.c[n] + suffix if n in codes else table.c[n] for n in names}
                if "category" in names:
                    is_ward = table.c.category == WARD
                    columns["value"] = case((is_ward, table.c.value + suffix), else_=table.c.value)
                rows = select(*columns.values()).limit(last)
                connection.execute(insert(table).from_select(names, rows))


def make_denser(engine: Engine, times: int) -> None:
    """Each count so many times as large, and its days spread over five."""
    fact = tables.pathway_fact
    counts = [c.name for c in fact.columns if str(c.type) == "INTEGER" and c.name != "part_id"]
    with writing(engine) as connection:
        rows = connection.exec_driver_sql("SELECT rowid, days FROM pathway_fact").all()
        connection.execute(update(fact).values({name: fact.c[name] * times for name in counts}))
        connection.exec_driver_sql(
            "UPDATE pathway_fact SET days = ? WHERE rowid = ?",
            [(_spread(days, times), row) for row, days in rows],
        )
        connection.execute(
            update(tables.score_fact).values(referrals=tables.score_fact.c.referrals * times)
        )


def _spread(days: bytes, times: int) -> bytes:
    pairs = np.frombuffer(days, dtype="<u2").reshape(-1, 2)
    wide = np.repeat(pairs, 5, axis=0)
    later = wide[:, 0] + np.tile(np.arange(5, dtype="<u2"), len(pairs))
    wide[:, 0] = np.minimum(later, DAY_CODES - 1)
    wide[:, 1] *= max(times // 5, 1)
    return wide.tobytes()


if __name__ == "__main__":
    main()
