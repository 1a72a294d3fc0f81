"""The weekly e-mail: what the pack of a board found, as text with links, to each of a list."""

from __future__ import annotations

import hashlib
import hmac
import logging
import smtplib
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from email.headerregistry import HeaderRegistry, UnstructuredHeader
from email.message import EmailMessage
from email.policy import SMTP, EmailPolicy
from email.utils import format_datetime

from sqlalchemy import Engine

from dashboard.errors import report_error
from dashboard.plain_page import plain_page
from dashboard.rules.mail_schedule import (
    MOST_ATTEMPTS,
    PERMANENT,
    Retry,
    due,
    may_be_sent,
    retry,
)
from dashboard.settings import settings
from dashboard.style import counted
from queries import mail
from queries.scope import Scope

# How long each answer of the mail server is waited for.
ANSWER_SECONDS = 20
# The part of a pack under which the changes stand, and how many: the page has all of them.
THIS_WEEK, LISTED = "this-week", 10
OFF = "No e-mail is sent: mail_host is not set."
# In place of what a finding may not say in an e-mail.
ON_THE_BOARD = "Open the board for the figures."
ABOUT_NUMBERS = (
    "These are findings as they stand on the board. What holds a hidden number, or one of fewer than "
    "8 people, is left to its page."
)
_LOG = logging.getLogger("dashboard")

# What a mail program sends by itself (RFC 8058), and the button as well.
ONE_CLICK = ("List-Unsubscribe", "One-Click")
# Neither page repeats the address: whoever has a link forwarded does not learn whose it is.
ASK_PAGE = plain_page(
    title="Stop the weekly e-mail?",
    body="<p>No more e-mail of the social prescribing board comes to the address that this link was "
    f'sent to.</p><form method="post"><input type="hidden" name="{ONE_CLICK[0]}" '
    f'value="{ONE_CLICK[1]}"><button>Stop the e-mail</button></form>',
)
STOPPED_PAGE = plain_page(
    title="The weekly e-mail is stopped",
    body="<p>No more comes to this address. Whoever runs the board can begin it again.</p>",
)


class NoLetterError(Exception):
    """There is nothing to send; the message says why, and holds no data."""


@dataclass(frozen=True)
class Letter:
    """What an e-mail says, the same for everybody: released words without small numbers."""

    subject: str
    text: str


@dataclass(frozen=True)
class Outcome:
    """What became of an e-mail in this try."""

    address: str
    went: bool
    words: str


# What is said.


def letter(engine: Engine, scope: Scope, due_on: date) -> Letter:
    """The e-mail of a day: the finding of each part of the pack of the settings' board with its link,
    and which things changed since the last meeting that was closed (or for a week), by name.

    Nothing but titles, names and findings; of a finding, what `may_be_sent`. `NoLetterError` where
    nothing may leave or the board is not there.
    """
    # The worker starts sooner without all that makes a pack.
    from dashboard.data import fetch_shared
    from dashboard.filters import Area, newest_as_at
    from dashboard.meeting_pack import choices_of, meeting_pack
    from dashboard.style import day
    from dashboard.this_week import this_week
    from dashboard.this_week_words import items

    if why := _why_nothing_may_leave():
        raise NoLetterError(why)
    area, site = Area(settings().mail_icb, newest_as_at()), settings().public_address
    choices, pack = choices_of(engine, scope, area), meeting_pack(engine, scope, area)
    if choices is None or pack is None:
        raise NoLetterError(f"there is no board {area.icb_code!r}, or no ward of it")
    found = fetch_shared(this_week, scope, choices, pack.config["since"])
    changes = [
        f"- {_line(item.title)}: {_line(item.subject)}\n  {site}{item.address}"
        for item in (items(found, choices) if found else [])
    ]
    more = ["- and more on that page"] if len(changes) > LISTED else []
    parts = []
    for page in pack.pages:
        listed = [*changes[:LISTED], *more] if page.key == THIS_WEEK else []
        said = [_line(page.subject), *_finding(page.finding), f"{site}{page.link}", *listed]
        parts.append("\n".join(said))
    simulated = " Simulated data: no real people or places of support." if pack.is_simulated else ""
    head = f"As at {pack.as_at}. Data as of {pack.data_as_of}.{simulated}"
    title = f"Social prescribing, {_line(pack.area)}: week of {day(due_on)}"
    return Letter(title, "\n\n".join([title, head, *parts, ABOUT_NUMBERS]))


def _finding(finding: str) -> list[str]:
    words, is_all = may_be_sent(_line(finding))
    ended = [f"{words.removesuffix('.')}."] if words else []
    return ended if is_all else [*ended, ON_THE_BOARD]


def _line(words: str) -> str:
    """On one line: what a file says can neither begin a header nor a line of its own."""
    return " ".join(words.split())


def _why_nothing_may_leave() -> str:
    from dashboard.meeting_pack import NO_PACK
    from dashboard.rules.disclosure import PROFILES

    return "" if PROFILES[settings().disclosure_profile].may_leave else NO_PACK


def why_none() -> str:
    """Why no e-mail is sent by these settings; "" where they are."""
    return _why_nothing_may_leave() if settings().mail_host else OFF


class _Link(UnstructuredHeader):
    """A header that holds an address of the web, which programs look for on one line as it is:
    Python would write one of more than 78 letters as an encoded word."""

    def fold(self, *, policy: EmailPolicy) -> str:
        return f"{self.name}: {self}{policy.linesep}"  # type: ignore[attr-defined]


_HEADERS = HeaderRegistry()
_HEADERS.map_to_type("list-unsubscribe", _Link)  # type: ignore[arg-type]
_POLICY = SMTP.clone(header_factory=_HEADERS)


def message(of: Letter, address: str, due_on: date, now: datetime) -> EmailMessage:
    """The e-mail to one address: nobody sees another's.

    Its id is of the board, the day and the address, so that a program which was sent it twice shows
    it once. `ValueError` for a header of more than one line.
    """
    chosen = settings()
    stop = f"{chosen.public_address}/unsubscribe?token={token(address)}"
    key = hashlib.sha256(f"{chosen.mail_icb} {due_on} {address}".encode()).hexdigest()
    made = EmailMessage(policy=_POLICY)
    made["From"] = chosen.mail_from
    made["To"] = address
    made["Subject"] = of.subject
    made["Date"] = format_datetime(now)
    made["Message-ID"] = f"<{key}@{chosen.mail_from.partition('@')[2]}>"
    made["List-Unsubscribe"] = f"<{stop}>"
    made["List-Unsubscribe-Post"] = "=".join(ONE_CLICK)
    made["Auto-Submitted"] = "auto-generated"
    made.set_content(f"{of.text}\n\nTo stop this e-mail: {stop}\n", cte="quoted-printable")
    return made


# Who wants none.


def token(address: str) -> str:
    """What only the e-mail to an address holds: its HMAC with a key of this use alone."""
    key = hmac.digest(settings().hash_key_bytes(), b"link that stops the weekly e-mail", "sha256")
    return hmac.new(key, address.encode(), "sha256").hexdigest()


def wanted_by(engine: Engine) -> list[str]:
    """The addresses of the list that did not stop it."""
    stopped = mail.stopped(engine)
    return [address for address in settings().mail_to if address not in stopped]


def address_of(engine: Engine, given: str) -> str | None:
    """The address whose token this is, of those on the list or ever written to; `None` for none."""
    known = {*settings().mail_to, *mail.addresses(engine)}
    asked = given.encode(errors="replace")
    # Every one is compared, each in the same time, whichever it is.
    found = [each for each in known if hmac.compare_digest(token(each).encode(), asked)]
    return found[0] if found else None


# Sending.


def send_due(engine: Engine, scope: Scope, now: datetime) -> list[Outcome]:
    """Send what is due at a moment (with the zone of the server), and what failed and may go now.

    Also while another process does the same: each e-mail is sent by one of them.
    """
    chosen = settings()
    if not chosen.mail_host:
        return []
    if late := mail.give_up_before(engine, now.date(), now):
        _LOG.warning("%s given up: their day was over.", counted(late, "e-mail"))
    if due(now, chosen.mail_day, chosen.mail_hour, None) is None:
        return []
    last = mail.last_made(engine, chosen.mail_icb)
    new = [
        address
        for address in chosen.mail_to
        if due(now, chosen.mail_day, chosen.mail_hour, last.get(address))
    ]
    return _send(engine, scope, now, new, set(chosen.mail_to))


def send_to(engine: Engine, scope: Scope, now: datetime, address: str) -> list[Outcome]:
    """Send today's to one address of the list, whatever the day and hour; once a day."""
    return _send(engine, scope, now, [address], {address})


def _send(
    engine: Engine, scope: Scope, now: datetime, new: list[str], to: set[str]
) -> list[Outcome]:
    if why_none():
        return []
    icb_code, today, began = settings().mail_icb, now.date(), time.monotonic()
    if new:
        mail.make(engine, icb_code, today, new)
    ready = [
        each
        for each in mail.waiting(engine, icb_code, today, now)
        if each.address in to and retry(each.attempts, each.tried_at, now) is Retry.NOW
    ]
    if not ready:
        return []
    tried = []
    with _outbox(engine, scope, today, now) as deliver:
        for each in ready:
            # A slow mail server and a long list take longer than a claim holds.
            at = now + timedelta(seconds=time.monotonic() - began)
            tried.append(_try(engine, each, at, deliver))
    return [outcome for outcome in tried if outcome is not None]


@contextmanager
def _outbox(
    engine: Engine, scope: Scope, due_on: date, now: datetime
) -> Iterator[Callable[[str], None]]:
    """What delivers to an address. Where there is no letter or no way to the mail server it raises
    why: that is a try of each e-mail, too."""
    try:
        of = letter(engine, scope, due_on)
        client = _connected()
    except Exception as error:
        failure = error

        def refuse(_address: str) -> None:
            raise failure

        yield refuse
        return

    def deliver(address: str) -> None:
        made = message(of, address, due_on, now)
        client.sendmail(settings().mail_from, [address], made.as_bytes())

    try:
        yield deliver
    finally:
        # What was taken is taken, whatever the server says to a goodbye.
        with suppress(OSError):
            client.quit()
        client.close()


def _connected() -> smtplib.SMTP:
    """A session with the mail server, safe as the settings say: never less."""
    chosen = settings()
    where = (chosen.mail_host, chosen.mail_port)
    safe = ssl.create_default_context()
    if chosen.mail_security == "tls":
        client: smtplib.SMTP = smtplib.SMTP_SSL(*where, timeout=ANSWER_SECONDS, context=safe)
    else:
        client = smtplib.SMTP(*where, timeout=ANSWER_SECONDS)
    try:
        if chosen.mail_security == "starttls":
            client.starttls(context=safe)
        if chosen.mail_user and chosen.mail_password:
            client.login(chosen.mail_user, chosen.mail_password.get_secret_value())
    except BaseException:
        client.close()
        raise
    return client


def _try(
    engine: Engine, each: mail.Mail, now: datetime, deliver: Callable[[str], None]
) -> Outcome | None:
    """Send one e-mail and note it; `None` where another process has it, or nobody wants it now."""
    if not mail.claim(engine, each, now):
        return None
    try:
        deliver(each.address)
    except Exception as error:
        why, is_permanent = _why(error)
        if is_permanent or each.attempts + 1 >= MOST_ATTEMPTS:
            words = f"Given up: {why}."
            mail.failed(engine, each, now, words)
        else:
            words = f"Not sent, to be tried again: {why}."
            mail.failed(engine, each, now)
        # By its number: whose address it is, is nobody's business who reads a log.
        _LOG.warning("E-mail %s, try %s. %s", each.id, each.attempts + 1, words)
        return Outcome(each.address, False, words)
    mail.sent(engine, each, now)
    return Outcome(each.address, True, "Sent.")


def _why(error: Exception) -> tuple[str, bool]:
    """Why an e-mail did not go, in our words (the server's may hold anything), and whether that is
    for good."""
    if isinstance(error, NoLetterError):
        return str(error).removesuffix("."), False
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code = next(iter(error.recipients.values()))[0]
        return f"the mail server refused the address ({code})", code in PERMANENT
    if isinstance(error, smtplib.SMTPResponseException):
        what = {
            smtplib.SMTPAuthenticationError: "the user name or the password",
            smtplib.SMTPSenderRefused: "the sender",
            smtplib.SMTPDataError: "the message",
        }.get(type(error), "to talk")
        code = error.smtp_code
        return f"the mail server refused {what} ({code})", code in PERMANENT
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return "the mail server offers no safe connection (STARTTLS), or no sign-in", True
    if isinstance(error, ssl.SSLError):
        return "no safe connection: the mail server's certificate or TLS was not accepted", False
    if isinstance(error, OSError):
        return "the mail server could not be reached, or broke off", False
    return f"something went wrong ({report_error(error)})", False
