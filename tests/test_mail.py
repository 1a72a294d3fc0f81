"""The weekly e-mail, sent to a mail server of our own: to each once, nothing hidden, and errors."""

from __future__ import annotations

import email
import logging
import shutil
import socket
import ssl
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope
from pydantic import ValidationError
from sqlalchemy import Engine
from typer.testing import CliRunner, Result

from dashboard import commands, data, filters
from dashboard import mail as mailing
from dashboard.mail import Letter, NoLetterError, letter, message, send_due, send_to, token
from dashboard.meeting_pack import NO_PACK
from dashboard.settings import Settings, settings
from queries import mail
from queries.database import make_engine
from queries.scope import EVERYTHING
from tests.conftest import rest_is_slow, skip_or_fail
from tests.made_once import HASH_KEY
from tests.small_board import AS_AT, BOARD, Board

# Each puts a pack together.
pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("settings_as_shipped")]

MONDAY = date(2026, 11, 23)
SEVEN = datetime(2026, 11, 23, 7, tzinfo=UTC)
ANN, BOB, CAT = "ann@example.org", "bob@example.org", "cat@example.org"
PASSWORD = "never-to-be-seen"
SITE = "https://board.example.nhs.uk/sp"
BASE = {
    "mail_host": "127.0.0.1",
    "mail_security": "none",
    "mail_from": "board@example.org",
    "mail_to": f"{ANN}, {BOB.upper()}",
    "mail_icb": BOARD,
    "mail_hour": "7",
    "public_address": SITE,
}


class Sink:
    """What reached the server: each message with to whom; answers by address or by all."""

    def __init__(self) -> None:
        self.taken: list[tuple[list[str], bytes]] = []
        self.refusals: dict[str, str] = {}
        self.at_data = ""

    async def handle_RCPT(
        self, _server: Any, _session: Any, envelope: Envelope, address: str, _options: Any
    ) -> str:
        if address in self.refusals:
            return self.refusals[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Envelope) -> str:
        if self.at_data:
            return self.at_data
        assert isinstance(envelope.content, bytes)
        self.taken.append((envelope.rcpt_tos, envelope.content))
        return "250 OK"

    @property
    def to(self) -> list[str]:
        return [address for addresses, _ in self.taken for address in addresses]

    def messages(self) -> list[EmailMessage]:
        return [email.message_from_bytes(raw, policy=default) for _, raw in self.taken]


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@pytest.fixture
def start() -> Iterator[Callable[..., Controller]]:
    begun: list[Controller] = []

    def begin(sink: Sink, **options: Any) -> Controller:
        begun.append(Controller(sink, hostname="127.0.0.1", port=free_port(), **options))
        begun[-1].start()
        return begun[-1]

    yield begin
    for each in begun:
        each.stop()


@pytest.fixture
def use(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Settings in the environment, beside those that send."""

    def set_them(**given: str) -> None:
        for name, value in {**BASE, "hash_key": HASH_KEY, **given}.items():
            monkeypatch.setenv(f"DASHBOARD_{name.upper()}", value)
        settings.cache_clear()

    monkeypatch.setattr(filters, "newest_as_at", lambda: AS_AT)
    monkeypatch.setattr("dashboard.pack_meeting.newest_as_at", lambda: AS_AT)
    yield set_them
    data.engine().dispose()
    settings.cache_clear()


@pytest.fixture
def sink(start: Callable[..., Controller], use: Callable[..., None], engine: Engine) -> Sink:
    """A server that takes everything, to which the settings lead."""
    made = Sink()
    use(mail_port=str(start(made).port))
    return made


@pytest.fixture(scope="module")
def board_path(tmp_path_factory: pytest.TempPathFactory, upgraded_file: Path) -> Path:
    """The small board: Dale's 3 referrals are hidden."""
    path = Path(shutil.copy(upgraded_file, tmp_path_factory.mktemp("mail") / "board.db"))
    engine = make_engine(f"sqlite:///{path.as_posix()}")
    Board().save(engine)
    engine.dispose()
    return path


@pytest.fixture
def engine(
    board_path: Path, tmp_path: Path, use: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> Engine:
    path = shutil.copy(board_path, tmp_path / "own.db")
    monkeypatch.setenv("DASHBOARD_DATABASE_URL", f"sqlite:///{Path(path).as_posix()}")
    use()
    return data.engine()


@pytest.fixture
def plain_letter(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where it does not matter what is said."""
    monkeypatch.setattr(mailing, "letter", lambda *_: Letter("Subject", "Text"))


def stands(engine: Engine, day: date = MONDAY) -> dict[str, tuple[int, bool, str | None]]:
    return {
        found.address: (found.attempts, found.sent_at is not None, found.message)
        for found in mail.mails(engine, BOARD, day)
    }


def words(outcomes: list[mailing.Outcome]) -> dict[str, str]:
    return {each.address: each.words for each in outcomes}


# To whom, and when.


@pytest.mark.usefixtures("plain_letter")
def test_once_to_each_and_nobody_sees_the_others(engine: Engine, sink: Sink) -> None:
    assert send_due(engine, EVERYTHING, SEVEN - timedelta(minutes=1)) == []
    assert words(send_due(engine, EVERYTHING, SEVEN)) == {ANN: "Sent.", BOB: "Sent."}
    for later in (0, 1, 200, 16 * 60):
        assert send_due(engine, EVERYTHING, SEVEN + timedelta(minutes=later)) == []
    assert [addresses for addresses, _ in sink.taken] == [[ANN], [BOB]]
    for (_, raw), mine, other in zip(sink.taken, (ANN, BOB), (BOB, ANN), strict=True):
        assert mine.encode() in raw
        assert other.encode() not in raw
    assert [found["To"] for found in sink.messages()] == [ANN, BOB]
    assert stands(engine) == {ANN: (1, True, None), BOB: (1, True, None)}


@pytest.mark.usefixtures("plain_letter")
def test_each_week_again_and_not_on_other_days(engine: Engine, sink: Sink) -> None:
    for day in range(15):
        send_due(engine, EVERYTHING, SEVEN + timedelta(days=day, hours=3))
    assert sink.to == [ANN, BOB] * 3


@pytest.mark.usefixtures("plain_letter")
def test_two_workers_at_once_send_one(engine: Engine, sink: Sink) -> None:
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: send_due(engine, EVERYTHING, SEVEN), range(4)))
    assert sorted(sink.to) == [ANN, BOB]


@pytest.mark.usefixtures("plain_letter")
def test_not_to_who_stopped(engine: Engine, sink: Sink) -> None:
    mail.stop(engine, BOB)
    send_due(engine, EVERYTHING, SEVEN)
    send_to(engine, EVERYTHING, SEVEN, BOB)
    assert sink.to == [ANN]


@pytest.mark.usefixtures("plain_letter")
def test_to_one_at_any_time_does_not_keep_the_others_waiting(engine: Engine, sink: Sink) -> None:
    before = SEVEN - timedelta(hours=2)
    assert words(send_to(engine, EVERYTHING, before, ANN)) == {ANN: "Sent."}
    assert send_to(engine, EVERYTHING, before, ANN) == []
    assert words(send_due(engine, EVERYTHING, SEVEN)) == {BOB: "Sent."}
    assert sink.to == [ANN, BOB]


@pytest.mark.usefixtures("plain_letter")
def test_who_is_taken_off_the_list_is_not_tried_again(
    engine: Engine, sink: Sink, use: Callable[..., None]
) -> None:
    sink.refusals = {BOB: "451 later"}
    send_due(engine, EVERYTHING, SEVEN)
    sink.refusals = {}
    use(mail_to=ANN, mail_port=str(settings().mail_port))
    assert send_due(engine, EVERYTHING, SEVEN + timedelta(hours=1)) == []


# Tried again, or not.


@pytest.mark.usefixtures("plain_letter")
def test_a_temporary_refusal_is_tried_again_with_the_same_id(engine: Engine, sink: Sink) -> None:
    sink.at_data = "451 come back later"
    sink.refusals = {BOB: "550 no such user"}
    told = words(send_due(engine, EVERYTHING, SEVEN))
    assert told == {
        ANN: "Not sent, to be tried again: the mail server refused the message (451).",
        BOB: "Given up: the mail server refused the address (550).",
    }
    first = message(Letter("Subject", "Text"), ANN, MONDAY, SEVEN)["Message-ID"]
    sink.at_data, sink.refusals = "", {}
    assert send_due(engine, EVERYTHING, SEVEN + timedelta(seconds=59)) == []
    assert words(send_due(engine, EVERYTHING, SEVEN + timedelta(seconds=65))) == {ANN: "Sent."}
    assert send_due(engine, EVERYTHING, SEVEN + timedelta(hours=9)) == []
    assert sink.to == [ANN]
    assert [found["Message-ID"] for found in sink.messages()] == [first]
    assert stands(engine) == {
        ANN: (2, True, None),
        BOB: (1, False, "Given up: the mail server refused the address (550)."),
    }


@pytest.mark.usefixtures("plain_letter")
def test_given_up_after_the_fifth(engine: Engine, sink: Sink) -> None:
    sink.refusals = {ANN: "451 later", BOB: "451 later"}
    tries: list[int] = []
    for minute in range(16 * 60):
        # A try takes a moment, and the next one is counted from it.
        now = SEVEN + timedelta(minutes=minute, seconds=5 * len(tries))
        if send_due(engine, EVERYTHING, now):
            tries.append(minute)
    assert tries == [0, 1, 6, 36, 156]
    assert stands(engine)[ANN] == (
        5, False, "Given up: the mail server refused the address (451).",
    )  # fmt: skip


@pytest.mark.usefixtures("plain_letter")
def test_never_on_another_day(engine: Engine, sink: Sink, caplog: pytest.LogCaptureFixture) -> None:
    late = SEVEN.replace(hour=23, minute=58)
    sink.refusals = {ANN: "451 later", BOB: "451 later"}
    assert len(send_due(engine, EVERYTHING, late)) == 2
    sink.refusals = {}
    assert send_due(engine, EVERYTHING, late + timedelta(minutes=3)) == []
    assert stands(engine)[ANN] == (1, False, "Given up: its day was over.")
    assert "2 e-mails given up" in caplog.text
    assert sink.to == []


@pytest.mark.usefixtures("plain_letter")
def test_a_server_that_is_not_there(
    engine: Engine, use: Callable[..., None], caplog: pytest.LogCaptureFixture
) -> None:
    use(mail_port=str(free_port()), mail_user="ann", mail_password=PASSWORD)
    told = words(send_due(engine, EVERYTHING, SEVEN))
    why = "Not sent, to be tried again: the mail server could not be reached, or broke off."
    assert told == {ANN: why, BOB: why}
    assert stands(engine)[ANN] == (1, False, None)
    for secret in (PASSWORD, ANN, BOB):
        assert secret not in caplog.text


def test_no_letter_is_a_try_too(engine: Engine, sink: Sink, use: Callable[..., None]) -> None:
    use(mail_icb="QZZ", mail_port=str(settings().mail_port))
    (why,) = set(words(send_due(engine, EVERYTHING, SEVEN)).values())
    assert why == "Not sent, to be tried again: there is no board 'QZZ', or no ward of it."
    assert send_due(engine, EVERYTHING, SEVEN) == []
    assert sink.taken == []


# What it says.


def test_the_letter(engine: Engine, sink: Sink) -> None:
    """Numbers as in `tests.small_board`; each part with its link."""
    send_due(engine, EVERYTHING, SEVEN)
    found, _ = sink.messages()
    assert found["Subject"] == "Social prescribing, Small board: week of 23 November 2026"
    assert found.get_content_type() == "text/plain"
    assert found.get_content_charset() == "utf-8"
    assert not found.is_multipart()
    text = found.get_content().replace("\r\n", "\n")
    at = f"icb={BOARD}&as_at=2026-06-30"
    assert (
        "\nWards by status\n2 of 6 wards lack a route in, a link worker or something to refer to; 1 "
        f"could not be judged.\n{SITE}/coverage?{at}\n"
    ) in text
    # The 1 that follows may be a person.
    assert (
        "\nCoverage\n2 of 6 wards have no provision; 7,500 people live there.\nOpen the board for the "
        f"figures.\n{SITE}/coverage?{at}\n"
    ) in text
    assert "As at 30 June 2026." in text
    assert "Simulated" not in text
    stop = f"{SITE}/unsubscribe?token={token(ANN)}"
    assert text.rstrip().endswith(f"To stop this e-mail: {stop}")


@pytest.mark.usefixtures("plain_letter")
def test_headers_as_mail_programs_want_them(engine: Engine, sink: Sink) -> None:
    send_due(engine, EVERYTHING, SEVEN)
    (_, raw), _ = sink.taken
    lines = raw.partition(b"\r\n\r\n")[0].decode("ascii").split("\r\n")
    # On one line, as it is: longer than Python leaves a line.
    assert f"List-Unsubscribe: <{SITE}/unsubscribe?token={token(ANN)}>" in lines
    assert "List-Unsubscribe-Post: List-Unsubscribe=One-Click" in lines
    assert "Auto-Submitted: auto-generated" in lines
    assert "From: board@example.org" in lines
    assert "Date: Mon, 23 Nov 2026 07:00:00 +0000" in lines
    assert max(len(line) for line in raw.split(b"\r\n")) < 998
    ids = [found["Message-ID"] for found in sink.messages()]
    assert len(set(ids)) == 2
    assert all(each.endswith("@example.org>") for each in ids)


def test_an_id_for_each_board_day_and_address(engine: Engine, use: Callable[..., None]) -> None:
    of = Letter("Subject", "Text")
    first = message(of, ANN, MONDAY, SEVEN)["Message-ID"]
    assert message(Letter("a", "b"), ANN, MONDAY, SEVEN + timedelta(9))["Message-ID"] == first
    others = {
        message(of, BOB, MONDAY, SEVEN)["Message-ID"],
        message(of, ANN, MONDAY + timedelta(7), SEVEN)["Message-ID"],
    }
    use(mail_icb="QZ2")
    others.add(message(of, ANN, MONDAY, SEVEN)["Message-ID"])
    assert len({first, *others}) == 4


def test_no_word_of_a_file_begins_a_header(
    engine: Engine, sink: Sink, use: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ValueError, match="linefeed"):
        message(Letter("a\r\nBcc: eve@example.org", ""), ANN, MONDAY, SEVEN)
    assert mailing._line("Kent\r\nBcc: eve@example.org\u2028x") == "Kent Bcc: eve@example.org x"


@pytest.mark.parametrize("profile", rest_is_slow("lt6", "nhs", "opensafely"))
def test_no_hidden_number_in_the_bytes(
    engine: Engine, start: Callable[..., Controller], use: Callable[..., None], profile: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """The findings are made to hold what may not leave, beside what may: 6 people are shown on the
    page under 'lt6'."""
    from dataclasses import replace

    from dashboard import meeting_pack
    from dashboard.pack.content import Pack

    real = meeting_pack.meeting_pack
    canaries = (
        "9001 wards are well; * people CANARY-ONE live there",
        "[c] CANARY-TWO referrals",
        "9002 people came. 6 people CANARY-THREE were lost",
        "7 CANARY-FOUR people",
    )

    def with_canaries(*asked: Any) -> Pack:
        made = real(*asked)
        assert made is not None
        told = [
            replace(made.pages[1], finding=finding, sentences=("5 CANARY-FIVE people",))
            for finding in canaries
        ]
        return replace(made, pages=(*made.pages, *told))

    monkeypatch.setattr(meeting_pack, "meeting_pack", with_canaries)
    sink = Sink()
    use(mail_port=str(start(sink).port), disclosure_profile=profile)
    send_due(engine, EVERYTHING, SEVEN)
    assert sink.to == [ANN, BOB]
    for (_, raw), found in zip(sink.taken, sink.messages(), strict=True):
        for text in (raw.decode(), found.get_content()):
            assert "CANARY" not in text
            assert "*" not in text
            assert "[c]" not in text
        for begins in ("9001 wards are well", "9002 people came"):
            assert f"{begins}.\r\nOpen the board for the figures.\r\n" in found.get_content()


def test_nothing_leaves_where_nothing_is_hidden(
    engine: Engine, sink: Sink, use: Callable[..., None]
) -> None:
    use(disclosure_profile="internal", allow_internal="true", mail_port=str(settings().mail_port))
    assert send_due(engine, EVERYTHING, SEVEN) == []
    assert send_to(engine, EVERYTHING, SEVEN, ANN) == []
    assert stands(engine) == {}
    with pytest.raises(NoLetterError, match="no number is hidden"):
        letter(engine, EVERYTHING, MONDAY)
    assert sink.taken == []


# The way to the server.


@pytest.mark.usefixtures("plain_letter")
@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
def test_sign_in_and_a_password_that_nobody_sees(
    engine: Engine,
    start: Callable[..., Controller],
    use: Callable[..., None],
    caplog: pytest.LogCaptureFixture,
) -> None:
    def check(_server: Any, _session: Any, _envelope: Any, _how: str, given: Any) -> AuthResult:
        return AuthResult(success=given.password == PASSWORD.encode(), handled=False)

    sink = Sink()
    port = start(sink, authenticator=check, auth_required=True, auth_require_tls=False).port
    use(mail_port=str(port), mail_user="board", mail_password="wrong-" + PASSWORD, mail_to=ANN)
    caplog.set_level(logging.DEBUG)
    told = words(send_due(engine, EVERYTHING, SEVEN))
    why = "Given up: the mail server refused the user name or the password (535)."
    assert told == {ANN: why}
    assert PASSWORD not in f"{caplog.text} {stands(engine)} {settings()!r}"
    use(mail_port=str(port), mail_user="board", mail_password=PASSWORD, mail_to=BOB)
    assert words(send_due(engine, EVERYTHING, SEVEN)) == {BOB: "Sent."}


@pytest.mark.usefixtures("plain_letter")
def test_starttls_is_never_left_out(engine: Engine, sink: Sink, use: Callable[..., None]) -> None:
    """The server offers none: nothing is sent in the open."""
    use(mail_security="starttls", mail_port=str(settings().mail_port))
    (why,) = set(words(send_due(engine, EVERYTHING, SEVEN)).values())
    assert why == ("Given up: the mail server offers no safe connection (STARTTLS), or no sign-in.")
    assert sink.taken == []


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate of 127.0.0.1 signed by itself, and its key."""
    openssl = shutil.which("openssl")
    if openssl is None:
        skip_or_fail("no openssl to make a certificate")
    folder = tmp_path_factory.mktemp("certificate")
    made = folder / "certificate.pem", folder / "key.pem"
    subprocess.run(
        [
            str(openssl), "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
            "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1",
            "-out", str(made[0]), "-keyout", str(made[1]),
        ],
        check=True,
        capture_output=True,
    )  # fmt: skip
    return made


@pytest.mark.usefixtures("plain_letter")
@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_only_to_a_server_whose_certificate_is_trusted(
    engine: Engine, start: Callable[..., Controller], use: Callable[..., None], security: str,
    certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    options = (
        {"ssl_context": context}
        if security == "tls"
        else {"tls_context": context, "require_starttls": True}
    )
    sink = Sink()
    # aiosmtpd looks whether it runs by a first connection, which needs the certificate as well.
    port = start(sink, **options).port
    use(mail_port=str(port), mail_security=security)
    (why,) = set(words(send_due(engine, EVERYTHING, SEVEN)).values())
    assert why == (
        "Not sent, to be tried again: no safe connection: the mail server's certificate or TLS was "
        "not accepted."
    )
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
    told = words(send_due(engine, EVERYTHING, SEVEN + timedelta(minutes=2)))
    assert told == {ANN: "Sent.", BOB: "Sent."}
    assert sink.to == [ANN, BOB]


# The settings.


GIVEN: dict[str, Any] = {**BASE, "mail_port": 25}


def test_off_by_default(use: Callable[..., None], engine: Engine) -> None:
    use(mail_host="")
    assert mailing.why_none() == "No e-mail is sent: mail_host is not set."
    assert send_due(engine, EVERYTHING, SEVEN) == []
    assert stands(engine) == {}
    plain = Settings.model_fields
    assert [plain[name].default for name in ("mail_host", "mail_to", "mail_icb")] == ["", (), ""]


def test_a_list_by_commas_or_as_one(monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = (ANN, BOB)
    assert Settings(**{**GIVEN, "mail_to": f" {ANN} ,{BOB},, {ANN.upper()}"}).mail_to == wanted
    assert Settings(**{**GIVEN, "mail_to": [ANN, BOB]}).mail_to == wanted
    monkeypatch.setenv("DASHBOARD_MAIL_TO", f"{ANN},{BOB}")
    assert Settings().mail_to == wanted
    assert Settings(**GIVEN).public_address == SITE
    assert Settings(public_address=f"{SITE}/").public_address == SITE
    assert (
        Settings(public_address="http://localhost:8501").public_address == "http://localhost:8501"
    )


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"mail_from": ""}, "mail_from is missing"),
        ({"mail_to": ""}, "mail_to is missing"),
        ({"mail_icb": ""}, "mail_icb is missing"),
        ({"public_address": ""}, "public_address is missing"),
        ({"mail_from": "board"}, "mail_from is no e-mail address"),
        ({"mail_from": "Board <board@example.org>"}, "mail_from is no e-mail address"),
        ({"mail_to": f"{ANN},bob"}, "number 2 of mail_to is no e-mail address"),
        ({"mail_to": ["ann@example.org\r\nBcc: eve@example.org"]}, "number 1 of mail_to is no"),
        ({"mail_to": ["ann@example.org\n"], "mail_from": "a@b.c\r\nx"}, "mail_from is no"),
        ({"mail_to": [f"a{n}@example.org" for n in range(101)]}, "101 addresses, more than 100"),
        ({"mail_host": "mail.example.org"}, "mail_security 'none' is for a mail server on this"),
        ({"mail_host": "mail\r\nx"}, "mail_host is no name of a host"),
        ({"mail_user": "ann"}, "mail_user and mail_password go together"),
        ({"mail_password": PASSWORD}, "mail_user and mail_password go together"),
        ({"mail_security": "ssl"}, "mail_security"),
        ({"mail_day": "Mon"}, "mail_day"),
        ({"mail_hour": 24}, "mail_hour"),
        ({"mail_port": 0}, "mail_port"),
        ({"public_address": "http://board.example.org"}, "expected https"),
        ({"public_address": "board.example.org"}, "expected an address"),
        ({"public_address": "https://a@board.example.org"}, "expected an address"),
        ({"public_address": "https://board.example.org/?x=1"}, "expected an address"),
        ({"public_address": "https://board.example.org/\nBcc:"}, "expected an address"),
    ],
)
def test_what_cannot_work_is_refused_with_the_reason(change: dict[str, Any], reason: str) -> None:
    Settings(**GIVEN)
    with pytest.raises(ValidationError, match=reason) as caught:
        Settings(**{**GIVEN, "mail_password": None, **change})
    assert PASSWORD not in str(caught.value)


def test_a_refusal_does_not_repeat_what_stands_beside_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DASHBOARD_MAIL_HOST", "h")
    monkeypatch.setenv("DASHBOARD_MAIL_PASSWORD", PASSWORD)
    with pytest.raises(ValidationError, match="mail_from is missing") as caught:
        Settings()
    assert PASSWORD not in str(caught.value)


def test_as_many_addresses_as_allowed() -> None:
    assert len(Settings(**{**GIVEN, "mail_to": [f"a{n}@b.org" for n in range(100)]}).mail_to) == 100


# The command, and the worker.


def run(*arguments: str) -> Result:
    return CliRunner().invoke(commands.app, ["mail", *arguments])


def test_a_dry_run_writes_and_sends_nothing(engine: Engine, sink: Sink) -> None:
    mail.stop(engine, BOB)
    told = run("--dry-run")
    assert told.exit_code == 0
    assert "Social prescribing, Small board: week of" in told.stdout
    assert f"{SITE}/coverage" in told.stdout
    assert "token=" not in told.output
    assert "On Mondays from 7:00 to: ann@example.org" in told.stderr
    assert BOB not in told.output
    assert sink.taken == []
    assert mail.addresses(engine) == set()


@pytest.mark.usefixtures("plain_letter")
def test_the_command_sends_to_one(engine: Engine, sink: Sink) -> None:
    assert run("--to", CAT).exit_code == 2
    told = run("--to", ANN.upper())
    assert (told.exit_code, told.stderr) == (0, f"{ANN}: Sent.\n")
    assert "Nothing to send now" in run("--to", ANN).stderr
    sink.refusals = {BOB: "550 no"}
    told = run("--to", BOB)
    assert (told.exit_code, sink.to) == (1, [ANN])
    assert "refused the address (550)" in told.stderr


def test_the_command_says_why_there_is_none(engine: Engine, use: Callable[..., None]) -> None:
    use(mail_host="")
    told = run()
    assert (told.exit_code, "mail_host is not set" in told.stderr) == (1, True)
    use(disclosure_profile="internal", allow_internal="true")
    told = run("--dry-run")
    assert (told.exit_code, told.stdout) == (1, "")
    assert NO_PACK in told.stderr.replace("\n", " ")


@pytest.mark.usefixtures("plain_letter")
def test_the_worker_sends_between_files(
    engine: Engine, sink: Sink, use: Callable[..., None]
) -> None:
    """On the day of today, from midnight on: due whenever this runs."""
    now = datetime.now().astimezone()
    use(mail_day=f"{now:%A}".lower(), mail_hour="0", mail_port=str(settings().mail_port))
    commands._between_files()
    assert sink.to == [ANN, BOB]
