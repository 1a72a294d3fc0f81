"""The page that stops an e-mail: only when told so, for the address of the link, and for good."""

from __future__ import annotations

import asyncio
import re
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path

import httpx
import pytest
from sqlalchemy import Engine
from starlette.applications import Starlette

from dashboard import routes
from dashboard.mail import token
from dashboard.settings import settings
from queries import mail

_APP = Starlette(routes=routes.ROUTES, middleware=routes.MIDDLEWARE)
ANN, BOB = "ann@example.org", "bob@example.org"
ONE_CLICK = {"List-Unsubscribe": "One-Click"}


def ask(
    method: str, said: str, data: dict[str, str] | None = None, **more: object
) -> httpx.Response:
    async def go() -> httpx.Response:
        transport = httpx.ASGITransport(app=_APP)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            return await client.request(method, f"/unsubscribe{said}", data=data, **more)  # type: ignore[arg-type]

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, go()).result()


@pytest.fixture
def engine(
    use_database: Callable[[Path], Engine], upgraded_file: Path, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Engine:  # fmt: skip
    """Ann is on the list, Bob was written to before."""
    monkeypatch.setenv("DASHBOARD_MAIL_TO", ANN)
    made = use_database(Path(shutil.copy(upgraded_file, tmp_path / "own.db")))
    mail.make(made, "QZ1", date(2026, 11, 23), [BOB])
    return made


@pytest.mark.parametrize("address", [ANN, BOB])
def test_looking_changes_nothing_and_names_nobody(engine: Engine, address: str) -> None:
    answer = ask("GET", f"?token={token(address)}")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["cache-control"] == "no-store"
    assert "form-action 'self'" in answer.headers["content-security-policy"]
    assert "<button>Stop the e-mail</button>" in answer.text
    assert "@" not in answer.text
    assert token(address) not in answer.text
    assert ask("HEAD", f"?token={token(address)}").status_code == 200
    assert mail.stopped(engine) == set()


def test_the_button_says_what_a_mail_program_says(engine: Engine) -> None:
    page = ask("GET", f"?token={token(ANN)}").text
    fields = dict(re.findall(r'type="hidden" name="([^"]*)" value="([^"]*)"', page))
    assert fields == ONE_CLICK
    # Without an action a form goes where the page is: with its token.
    assert re.search(r'<form method="post">', page)


@pytest.mark.parametrize("address", [ANN, BOB])
def test_told_so_it_stops_once_and_for_good(engine: Engine, address: str) -> None:
    for _ in range(2):
        answer = ask("POST", f"?token={token(address)}", ONE_CLICK)
        assert answer.status_code == 200
        assert "is stopped" in answer.text
        assert "@" not in answer.text
        assert mail.stopped(engine) == {address}


def test_in_the_other_form_of_a_form(engine: Engine) -> None:
    files = {"List-Unsubscribe": (None, "One-Click")}
    assert ask("POST", f"?token={token(ANN)}", files=files).status_code == 200
    assert mail.stopped(engine) == {ANN}


@pytest.mark.parametrize("data", [{}, {"List-Unsubscribe": "Maybe"}, {"Other": "One-Click"}])
def test_anything_else_stops_nothing(engine: Engine, data: dict[str, str]) -> None:
    assert ask("POST", f"?token={token(ANN)}", data).status_code == 400
    assert mail.stopped(engine) == set()


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_wrong_token_is_not_found(engine: Engine, method: str) -> None:
    right = token(ANN)
    for said in (
        "", "?token=", "?token=0", f"?token={right[:-1]}", f"?token={right}0",
        f"?token={right.upper()}", f"?token={token('eve@example.org')}", f"?token={ANN}",
        "?token=%ff%00%F0%9F%98%80", f"?other={right}",
    ):  # fmt: skip
        answer = ask(method, said, ONE_CLICK if method == "POST" else None)
        assert (answer.status_code, answer.text) == (404, "not found"), said
    assert mail.stopped(engine) == set()


def test_a_token_is_of_one_address_and_one_key(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = token(ANN)
    assert re.fullmatch("[0-9a-f]{64}", before)
    assert token(BOB) != before
    monkeypatch.setenv("DASHBOARD_HASH_KEY", "another key of thirty-two letters")
    settings.cache_clear()
    assert token(ANN) != before
    assert ask("POST", f"?token={before}", ONE_CLICK).status_code == 404


def test_a_long_body_is_not_read(engine: Engine) -> None:
    long = {**ONE_CLICK, "more": "x" * routes.MOST_SAID_BYTES}
    assert ask("POST", f"?token={token(ANN)}", long).status_code == 413
    assert mail.stopped(engine) == set()


def test_other_methods_are_none(engine: Engine) -> None:
    for method in ("PUT", "DELETE"):
        # Sending a file is refused before anything else.
        assert ask(method, f"?token={token(ANN)}").status_code in (403, 405)
