"""The part of the Data page where files come in: offered, checked, confirmed, loaded, undone."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd
import streamlit as st

from dashboard import access, intake, loading, mapping_editor, show
from dashboard.access import current_scope, current_user, reader
from dashboard.data import engine, fetch_written, loading_engine
from dashboard.intake.problems import Problem, RefusedError
from dashboard.intake.source import Source
from dashboard.loading import Preview
from dashboard.rules import roles
from dashboard.style import day
from queries import history, jobs, trail
from queries.frames import each_row
from queries.history import UndoError
from queries.jobs import UNDER_WAY, Job

FOR_ANALYSTS = (
    "Files are checked, loaded and taken back by analysts of every board: a file speaks of several. Who "
    "holds an export or a return that is missing above sends it to them."
)
# How long the end of a job stays in view; the history keeps it.
IN_VIEW = timedelta(minutes=30)
PROBLEMS_SHOWN = 20
HISTORY_SHOWN = 25
_OFFERED = "files offered in this session"
STATE_WORDS = {
    "checking": "is being checked",
    "refused": "refused: nothing of it was loaded",
    "checked": "checked: not loaded yet",
    "dropped": "not loaded",
    "waiting": "waits to be loaded",
    "loading": "is being loaded",
    "loaded": "loaded",
    "unchanged": "nothing changed",
    "failed": "failed: nothing of it was loaded",
    "parked": "parked: nothing of it was loaded",
}


def may_load() -> bool:
    """Whether the reader may load files, and see what was offered."""
    return reader().may(roles.LOAD)


def upload_box() -> None:
    """Where files are dropped; each is checked at once, and loaded when it is confirmed."""
    access.check(roles.LOAD)
    files = st.file_uploader(
        "Files to check, one or many: they are recognised by what is in them",
        accept_multiple_files=True,
        key="files to check",
    )
    offered: dict[str, int] = st.session_state.setdefault(_OFFERED, {})
    for file in files:
        if file.file_id not in offered:
            # It lies in memory, and goes no further than the process that reads it.
            try:
                source = Source.received(file.name, file.getvalue())
            except RefusedError as error:
                show.lines([str(problem) for problem in error.problems], is_problem=True)
                continue
            offered[file.file_id] = loading.check_in_background(engine(), source, current_user())


def _content_of(job_id: int) -> Source | None:
    """The file of a job, while its upload is still on the page."""
    offered: dict[str, int] = st.session_state.get(_OFFERED, {})
    for file in st.session_state.get("files to check") or []:
        if offered.get(file.file_id) == job_id:
            return Source.received(file.name, file.getvalue())
    return None


def job_cards() -> None:
    """What became of each file; it looks again each second while something is under way."""
    access.check(roles.LOAD)
    watched = _under_way(_open_jobs())
    st.fragment(_cards, run_every=1.0 if watched else None)(watched)


def _open_jobs() -> list[Job]:
    since = datetime.now(UTC) - IN_VIEW
    return jobs.open_jobs(engine(), current_scope(), current_user(), since)


def _under_way(found: list[Job]) -> set[int]:
    return {job.id for job in found if job.state in UNDER_WAY}


def _cards(watched: set[int]) -> None:
    access.check(roles.LOAD)
    found = _open_jobs()
    if _under_way(found) != watched:
        # Something began, so that it is to be watched, or ended: the grids and the history above
        # and below know more.
        st.rerun()
    ready = [job for job in found if job.state == "checked"]
    if len(ready) > 1:
        st.button(f"Load all {len(ready)}", type="primary", on_click=_load, args=(ready,))
    for job in found:
        with st.container(border=True):
            _card(job)


def _card(job: Job) -> None:
    show.card_title(job.file_name, STATE_WORDS[job.state])
    if job.state in UNDER_WAY:
        since = job.started_at if job.state == "loading" else job.offered_at
        seconds = (datetime.now(UTC) - (since or job.offered_at)).total_seconds()
        show.lines([f"{seconds:.0f} seconds so far. You may leave this page: it goes on."])
    if job.state == "refused":
        _refused(job)
    elif job.report and job.state in ("checked", "waiting", "loading", "failed", "parked"):
        _preview(Preview.from_json(job.report))
    if job.message and job.state != "refused":
        show.lines(job.message.splitlines())
    if job.state in ("checked", "failed", "parked"):
        load, leave, _ = st.columns([1, 1, 4])
        words = "Load" if job.state == "checked" else "Try again"
        load.button(
            words, key=f"load {job.id}", type="primary", on_click=_load, args=([job],),
        )  # fmt: skip
        leave.button("Do not load", key=f"drop {job.id}", on_click=_drop, args=(job.id,))


def _preview(preview: Preview) -> None:
    period = " to ".join(dict.fromkeys(filter(None, [preview.period_start, preview.period_end])))
    show.definition_list(
        [
            ("Recognised as", preview.title),
            ("Vintage", preview.vintage or "not stated in the file"),
            ("Period", period or "none: it holds from now on"),
            ("Rows", f"{preview.rows_read:,}"),
            ("Loading", preview.change),
            *(
                [("Rows kept", f"{preview.rows_after:,} in place of {preview.rows_before:,}")]
                if preview.parts_replaced
                else []
            ),
        ],
        label="What the file is",
    )
    show.lines(preview.notes)
    if preview.first_rows:
        names = list(preview.first_rows[0])
        rows = [[row[name] for name in names] for row in preview.first_rows]
        show.small_table(names, rows, caption="The first rows, as they would be kept")
    elif preview.filled:
        filled = [[name, f"{count:,}"] for name, count in preview.filled.items()]
        caption = "How many rows state each column; the rows are about people and are not shown"
        show.small_table(["Column", "Rows"], filled, caption=caption)


def _refused(job: Job) -> None:
    found = history.problems(engine(), current_scope(), job.id)
    shown = [_problem(row) for row in each_row(found.head(PROBLEMS_SHOWN))]
    show.lines(shown or [job.message or ""], is_problem=True)
    if len(found):
        show.links([(f"{len(found):,} found:", [("all as CSV", f"/refusals/{job.id}.csv")])])
    columns = json.loads(job.report) if job.report else []
    source = _content_of(job.id)
    if columns and source is not None:
        mapping = mapping_editor.edit(job.id, columns)
        if mapping is not None:
            again = loading.check_in_background(engine(), source, current_user(), mapping)
            for file_id, number in st.session_state[_OFFERED].items():
                if number == job.id:
                    st.session_state[_OFFERED][file_id] = again
            st.rerun()


def _problem(row: Any) -> str:
    return str(
        Problem(
            row.rule,
            *(None if pd.isna(value) else value for value in (row.row, row.column, row.found)),
        )
    )


# What follows writes, and runs before the page is drawn.


def _load(ready: list[Job]) -> None:
    access.check(roles.LOAD)
    # A second click finds nothing to queue: it is one job.
    queued = [job for job in ready if jobs.queue(engine(), job.id)]
    for job in queued:
        asked: trail.Detail = {"job": job.id, "dataset": job.dataset}
        trail.note_alone(engine(), trail.LOAD_ASKED, reader().person_id, asked)
    if queued:
        loading.start_worker()


def _drop(job_id: int) -> None:
    access.check(roles.LOAD)
    jobs.drop(engine(), job_id)


def history_list() -> None:
    """What was offered and loaded, the newest first, and how to take a load back."""
    access.check(roles.LOAD)
    # Of a hundred thousand parts in England: not counted again for each click.
    found = fetch_written(history.history, history.history_mark, current_scope())
    if found.empty:
        show.lines(["Nothing was loaded yet. The demonstration is not listed."])
        return
    shown = found.head(HISTORY_SHOWN)
    rows = [_history_row(row) for row in each_row(shown)]
    show.small_table(
        ["When", "Who", "File", "SHA-256", "What", "Rows in", "kept", "refused", "Now"],
        rows,
        caption="Files offered and loaded, the newest first",
    )
    show.links([("Everything:", [("history as CSV", "/history.csv")])])
    refused = found[found["job_id"].notna() & (found["rows_refused"] > 0)]
    if len(refused):
        targets = [
            (f"{row.file_name} ({row.rows_refused})", f"/refusals/{row.job_id}.csv")
            for row in each_row(refused.head(HISTORY_SHOWN))
        ]
        show.links([("Rows that were refused:", targets)])
    _undo_box(found[found["load_id"].notna() & found["undone_at"].isna()])


def _history_row(row: Any) -> list[str]:
    def number(value: Any) -> str:
        return "–" if pd.isna(value) else f"{value:,}"

    def words(value: Any) -> str:
        return "–" if pd.isna(value) else str(value)

    if row.state != "loaded":
        now = STATE_WORDS[row.state]
    elif not pd.isna(row.undone_at):
        now = f"load {row.load_id}, undone"
    elif row.parts_in_force:
        now = f"load {row.load_id}, in force"
    else:
        now = f"load {row.load_id}, replaced"
    return [
        f"{day(row.at.date())} {row.at:%H:%M}",
        words(row.who),
        words(row.file_name),
        words(row.sha256)[:12],
        words(row.dataset).replace("_", " "),
        number(row.rows_in),
        number(row.rows_out),
        number(row.rows_refused),
        now,
    ]


def _undo_box(loads: pd.DataFrame) -> None:
    if said := st.session_state.pop("said of undo", None):
        show.lines([said])
    if loads.empty:
        return
    names = {
        int(row.load_id): f"{row.load_id}: {row.file_name}, {day(row.at.date())}"
        for row in each_row(loads)
    }
    chosen = st.selectbox(
        "Load to undo", [None, *names], format_func=lambda load: names.get(load, "None"),
        key="load to undo",
    )  # fmt: skip
    if chosen is not None:
        show.lines(["What it replaced will be in force again. Loading the file again redoes it."])
        st.button(f"Undo load {chosen}", on_click=_undo, args=(chosen,))


def _undo(load_id: int) -> None:
    access.check(roles.LOAD)
    try:
        record = loading.undo(loading_engine(), load_id, current_user(), reader().person_id)
    except UndoError as error:
        said = str(error)
    else:
        said = (
            f"Load {load_id} ({record.file_name}) was undone: {record.parts_withdrawn:,} "
            f"withdrawn, {record.parts_restored:,} restored."
        )
    st.session_state["said of undo"] = said
    st.session_state["load to undo"] = None


def templates() -> None:
    """A template to send to those who make local returns."""
    show.links(
        [
            (
                f"{dataset.title}:",
                [
                    ("CSV", f"/template/{dataset.name}.csv"),
                    ("Excel", f"/template/{dataset.name}.xlsx"),
                ],
            )
            for dataset in intake.DATASETS
            if dataset.template is not None
        ]
    )
