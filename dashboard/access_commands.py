"""The commands that say who may see what, and show the trail of what was done."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from typing import Annotated

import pandas as pd
import typer
from rich.console import Console

from dashboard import given
from dashboard.access import reader
from dashboard.data import engine, prepare_database
from dashboard.export import csv_bytes
from queries import people, trail

app = typer.Typer()
access = typer.Typer(no_args_is_help=True, help="Who may see what: people, roles, review.")
app.add_typer(access, name="access")
trail_app = typer.Typer(no_args_is_help=True, help="The trail of what was done.")
app.add_typer(trail_app, name="trail")
_TELL = Console(stderr=True, highlight=False)


def _stopped(words: str, code: int = 1) -> typer.Exit:
    _TELL.print(words, style="red", markup=False)
    return typer.Exit(code)


@access.command(name="people")
def people_command() -> None:
    """Everybody who ever signed in, with their numbers, as CSV."""
    prepare_database()
    _write(people.people(engine()))


@access.command(name="give")
def give_command(
    role: Annotated[str, typer.Argument(help="Such as icb_lead, or administrator.")],
    person: Annotated[int | None, typer.Option(help="Number of somebody who signed in.")] = None,
    group: Annotated[
        str | None, typer.Option(help="Everybody of a group that their organisation names.")
    ] = None,
    issuer: Annotated[
        str | None, typer.Option(help="With --subject: somebody who did not sign in yet.")
    ] = None,
    subject: Annotated[
        str | None, typer.Option(help="What the issuer calls them (Entra ID: the sub claim).")
    ] = None,
    icb: Annotated[str, typer.Option(help="Code of a board; without it everything here.")] = "",
    pcn: Annotated[str, typer.Option(help="Code of a network of that board.")] = "",
) -> None:
    """Give somebody a role. The first administrator is made so; after that there is a page."""
    prepare_database()
    if sum((person is not None, bool(group), bool(issuer and subject))) != 1:
        raise _stopped("Expected one of --person, --group, or --issuer with --subject.", 2)
    if issuer and subject:
        person = people.person_named(engine(), issuer, subject, datetime.now(UTC))
    try:
        grant = given.grant_of(engine(), role, icb, pcn)
        number = given.give(engine(), reader(), given.Holder(person, group), grant)
    except given.RefusedError as error:
        raise _stopped(str(error)) from None
    _TELL.print(f"Role number {number} was given.", markup=False)


@access.command(name="end")
def end_command(number: Annotated[int, typer.Argument(help="Number of the role.")]) -> None:
    """Take a role away; whoever had it is signed out."""
    prepare_database()
    try:
        given.take_away(engine(), reader(), number)
    except given.RefusedError as error:
        raise _stopped(str(error)) from None
    _TELL.print(f"Role number {number} was taken away.", markup=False)


@access.command(name="review")
def review_command() -> None:
    """Who has which role, since when, by whom, and when they last signed in, as CSV."""
    prepare_database()
    sys.stdout.buffer.write(csv_bytes(given.review(engine(), datetime.now(UTC))))


@trail_app.command(name="verify")
def verify_command(
    head: Annotated[
        str | None,
        typer.Option(help="NUMBER:HASH of a line that was kept elsewhere: it must still be there."),
    ] = None,
) -> None:
    """Whether the trail is as it was written: nothing changed, nothing taken out."""
    prepare_database()
    broken = list(trail.broken_at(engine()))
    if head and not trail.has(engine(), head):
        broken.append(f"the line {head} is not there")
    if broken:
        raise _stopped("\n".join(["The trail was changed:", *broken]))
    number, newest = trail.head(engine())
    _TELL.print(f"{number:,} lines, each as it was written. The newest: {number}:{newest}")


@trail_app.command(name="show")
def show_command(
    newest: Annotated[int | None, typer.Option(min=1, help="How many; default: all.")] = None,
) -> None:
    """The newest lines as CSV."""
    prepare_database()
    _write(trail.lines(engine(), newest))


def _write(frame: pd.DataFrame) -> None:
    rows = json.loads(frame.to_json(orient="records", date_format="iso"))
    sys.stdout.buffer.write(csv_bytes(rows))
