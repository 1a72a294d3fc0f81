"""Nobody sees another's area: what is somebody's own carries their mark, and is looked for everywhere.

Each reader walks through every page with each of its choices and through every file that a page links
to; then goes where others have been. Marks that are not theirs are nowhere, and each mark is seen by who
may see it: else the walk would prove nothing.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from sqlalchemy import Engine

from dashboard import (
    access,
    data,
    filters,
    long_work,
    meeting_mode,
    page_list,
    target_editor,
    upload,
)  # fmt: skip
from dashboard.access import reader
from dashboard.data import fetch, fetch_shared
from dashboard.errors import NotThereError
from dashboard.filters import Area
from dashboard.mail import letter
from dashboard.meeting_pack import choices_of, meeting_pack
from dashboard.own_networks import LEFT_OUT
from dashboard.pack_work import FORMS, begin, write
from dashboard.settings import settings
from dashboard.workforce_view import pcn_list
from queries import actions
from queries.actions import ActionEdit, Wanted
from queries.people import Grant
from queries.scope import EVERYTHING, Scope
from tests.app.conftest import Become
from tests.app.reading import View
from tests.app.test_routes import get
from tests.app.walking import Offers, Seen, look, parts, plain, read, walk
from tests.canary_board import AS_AT, BOARDS, NETWORKS, A, B, Network, made, marks, whose, written
from tests.made_once import HASH_KEY

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]

A1, A2, A3 = A.networks


@pytest.fixture(scope="module")
def canaries(tmp_path_factory: pytest.TempPathFactory, upgraded_file: Path) -> Iterator[Engine]:
    """The dashboard reads both boards, with what people have written on them."""
    path = made(tmp_path_factory.mktemp("canaries") / "canaries.db", upgraded_file)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DASHBOARD_DATABASE_URL", f"sqlite:///{path.as_posix()}")
        patch.setenv("DASHBOARD_HASH_KEY", HASH_KEY)
        patch.setattr(filters, "newest_as_at", lambda: AS_AT)
        settings.cache_clear()
        written(data.engine())
        yield data.engine()
        data.engine().dispose()
    settings.cache_clear()


@pytest.fixture(scope="module")
def wide(canaries: Engine) -> list[Seen]:
    """What somebody who may see everything has seen, once: it is kept for whoever comes after."""
    with pytest.MonkeyPatch.context() as patch:
        who = access.Reader(999, "An analyst", frozenset({Grant("analyst", "all")}))
        patch.setattr(access, "reader_now", lambda: who)
        return [parts(Offers(patch), **address) for address in ADDRESSES]


OF_A_BOARD = {
    "board", "ward", "shire", "provider", "service", "choir", "funder", "scheme", "lead", "action",
    "owner", "writer", "note", "view", "plan", "by", "QA1", "46817",
}  # fmt: skip
OF_A_NETWORK = {
    "network", "post", "title", "employer", "supervisor", "reason", "action", "owner", "note", "view",
    "by", "plan", "planner",
}  # fmt: skip
# What the page All boards fetches.
OF_ALL_BOARDS = ("/geo/all/", "/table/all-boards.json", "/table/all-wards.json")
FOR_LOADERS = {"file", "job", "offerer", "message"}


def kinds(found: set[tuple[str, str]], word: str) -> set[str]:
    return {kind for owner, kind in found if owner == word}


def of(network: Network) -> set[str]:
    """Everything that marks a network as it is shown to those who may see it."""
    told = (network.fte, network.funded, network.target, network.planned)
    numbers = {f"{number:.1f}" for number in told} | {str(network.patients), str(network.referrals)}
    return OF_A_NETWORK | numbers | {network.code}


def foreign(found: dict[object, str], allowed: set[str]) -> dict[object, set[tuple[str, str]]]:
    """By page or file, the marks of others in it; a page that turns somebody away may repeat the
    address that they have typed."""
    told = {
        where: {m for m in marks(text) if m[0] not in allowed} - marks(str(where))
        for where, text in found.items()
    }
    return {where: those for where, those in told.items() if those}


def everywhere(seen: Seen) -> dict[object, str]:
    return {**seen.pages, **seen.files}


ANALYST = ("analyst", None, None)
OF_A = {A.word, *(network.word for network in A.networks)}
OF_B = {B.word, *(network.word for network in B.networks)}


class TestWalks:
    """Each reader walks with each choice that there is for them."""

    def test_who_leads_a_network(
        self, canaries: Engine, read_as_role: Become, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        read_as_role("pcn_lead", A.code, A1.code)
        seen = walk(Offers(monkeypatch), icb=A.code)
        assert foreign(everywhere(seen), {A.word, A1.word}) == {}
        found = marks(seen.text)
        assert kinds(found, A1.word) >= of(A1)
        assert kinds(found, A.word) >= OF_A_BOARD
        # The board's total is theirs to see, and is of no single network.
        assert f"{sum(network.referrals for network in A.networks):,}" in seen.text

    def test_who_works_for_a_board(
        self, canaries: Engine, read_as_role: Become, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        read_as_role("icb_lead", A.code)
        seen = walk(Offers(monkeypatch), icb=A.code)
        assert foreign(everywhere(seen), OF_A) == {}
        for part in OF_ALL_BOARDS:
            # One board is all that they may see.
            read_of = [text for link, text in seen.files.items() if link.startswith(part)]
            assert read_of, part
            assert all(whose(marks(text)) >= {A.word} for text in read_of)
        found = marks(seen.text)
        assert kinds(found, A.word) >= OF_A_BOARD | {str(A.budgets)}
        for network in A.networks:
            # What is shown of one that is chosen, and of the whole board.
            assert kinds(found, network.word) >= of(network) - {"reason", "note"}

    def test_who_loads_sees_all_of_it(
        self, canaries: Engine, read_as_role: Become, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Else no mark of a file or a job that is missing elsewhere would say anything."""
        read_as_role(*ANALYST)
        seen = look("data", icb=A.code) + look("methods") + read("/history.csv")
        for board in BOARDS:
            assert kinds(marks(seen), board.word) >= FOR_LOADERS - {"message"}


READERS = [
    pytest.param("pcn_lead", A.code, A1.code, {A.word, A1.word}, id="a network of A"),
    pytest.param("commissioner", A.code, None, OF_A, id="A"),
    pytest.param("icb_lead", B.code, None, OF_B, id="B"),
    # Boards and networks have public names, by which access to them is given.
    pytest.param("administrator", None, None, None, id="who gives access"),
    pytest.param(None, None, None, set(), id="nobody"),
]
ADDRESSES = ({"icb": A.code}, {"icb": A.code, "pcn": A2.code}, {"icb": B.code})
TAMPERED = {
    "icb": A.code, "pcn": A2.code, "locality": A.district, "ward": A.wards[0], "action": "1",
    "since": "meeting-1", "against": f"{A2.word}plan", "worker_from": A2.code, "worker_to": A3.code,
    "close": f"{A.word}provider", "by": "ward", "groups": "PCN", "pinned": f"pcn|{A2.code}",
    "owner": f"{A2.word}owner", "provider": f"{A.word}provider", "meeting": "on",
}  # fmt: skip


class TestWhereOthersHaveBeen:
    """After somebody who may see everything, each reader opens the same addresses and files."""

    @pytest.mark.parametrize(("role", "icb_code", "pcn_code", "allowed"), READERS)
    def test_nothing_of_others(
        self,
        canaries: Engine,
        become: Become,
        read_as_role: Become,
        wide: list[Seen],
        role: str | None,
        icb_code: str | None,
        pcn_code: str | None,
        allowed: set[str] | None,
    ) -> None:
        files = {link for seen in wide for link in seen.files}
        # Its second list stands at the same address.
        files |= {link.replace("/all-boards.", "/all-wards.") for link in files}
        assert all(any(link.startswith(part) for link in files) for part in OF_ALL_BOARDS)
        assert whose(marks("".join(seen.text for seen in wide))) == OF_A | OF_B
        if role is None:
            become()
        else:
            read_as_role(role, icb_code, pcn_code)
        found: dict[object, str] = {link: read(link) for link in sorted(files)}
        for page, address in {key for seen in wide for key in seen.pages}:
            found[page, address] = look(page, **dict(address))
        for page in page_list.every_page():
            for address in (TAMPERED, {"icb": B.code, "pcn": B.networks[0].code}):
                found[page, tuple(address.items())] = look(page, **address)
        for path in ("/healthz", "/readyz"):
            found[path] = read(path)
        told = foreign(found, allowed or set())
        if allowed is None:
            public = {"board", "network", "shire", A.code, B.code, *(n.code for n in NETWORKS)}
            told = {w: {m for m in those if m[1] not in public} for w, those in told.items()}
            told = {where: those for where, those in told.items() if those}
        assert told == {}

    def test_the_narrower_reader_first_leaves_nothing_out_for_the_next(
        self, canaries: Engine, read_as_role: Become, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        offers = Offers(monkeypatch)
        read_as_role("pcn_lead", A.code, A1.code)
        parts(offers, icb=A.code)
        read_as_role("icb_lead", A.code)
        after = parts(offers, icb=A.code)
        data._shared.cache_clear()
        assert marks(after.text) == marks(parts(offers, icb=A.code).text)


class TestFiles:
    def test_a_pack_of_ones_own_network(self, canaries: Engine) -> None:
        scope = Scope(frozenset({A.code}), frozenset({(A.code, A1.code)}))
        pack = meeting_pack(canaries, scope, Area(A.code, AS_AT, pcn_code=A1.code))
        assert pack is not None
        for form in FORMS:
            found = marks(plain(write(pack, form)))
            assert whose(found) == {A.word, A1.word}
            assert f"{A1.referrals}" in kinds(found, A1.word)

    @pytest.mark.parametrize("pcn_code", ["", A2.code])
    def test_no_pack_of_another(self, canaries: Engine, pcn_code: str) -> None:
        scope = Scope(frozenset({A.code}), frozenset({(A.code, A1.code)}))
        assert meeting_pack(canaries, scope, Area(A.code, AS_AT, pcn_code=pcn_code)) is None

    def test_the_files_of_somebody_else_are_not_there(
        self, canaries: Engine, read_as_role: Become
    ) -> None:
        read_as_role("icb_lead", A.code)
        pack = meeting_pack(canaries, reader().scope, Area(A.code, AS_AT))
        assert pack is not None
        key = begin(pack, reader().mark)
        until = time.monotonic() + 60
        while long_work.status(key).state == "running" and time.monotonic() < until:
            time.sleep(0.05)
        assert get(f"/pack/{key}.pdf").status_code == 200
        for other in (("commissioner", A.code), ("pcn_lead", A.code, A1.code), ANALYST):
            read_as_role(*other)
            answer = get(f"/pack/{key}.pdf")
            assert (answer.status_code, answer.text) == (404, "not found")

    def test_the_letter_of_a_board(self, canaries: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("DASHBOARD_MAIL_ICB", A.code)
        settings.cache_clear()
        said = letter(canaries, EVERYTHING, AS_AT)
        assert whose(marks(f"{said.subject}\n{said.text}")) <= OF_A
        assert A.word in said.text

    @pytest.mark.parametrize("pcn_code", ["", A2.code])
    def test_no_list_and_no_plan_of_another(
        self, canaries: Engine, read_as_role: Become, pcn_code: str
    ) -> None:
        read_as_role("pcn_lead", A.code, A1.code)
        asked = f"icb={A.code}&as_at={AS_AT}&pcn={pcn_code}"
        for subject in ("coverage", "workforce", "gaps", "services", "pathway", "take-up"):
            assert get(f"/table/{subject}.json?{asked}").status_code == 404
        assert get(f"/brief.pdf?{asked}").status_code == 404
        if pcn_code:
            assert get(f"/export/site-plan.csv?{asked}").status_code == 404

    def test_nothing_is_worked_out_of_another_whatever_forgets_to_ask(
        self, canaries: Engine
    ) -> None:
        scope = Scope(frozenset({A.code}), frozenset({(A.code, A1.code)}))
        for area in (Area(A.code, AS_AT, pcn_code=A2.code), Area(B.code, AS_AT)):
            for kept in (fetch, fetch_shared):
                with pytest.raises(NotThereError):
                    kept(pcn_list, scope, area)


class TestTamperedBoxes:
    """A browser may send back what was never offered."""

    @pytest.mark.parametrize(
        ("box", "value"),
        [("pcn", A2.code), ("pcn", ""), ("icb", B.code), ("locality", B.district)],
    )
    def test_of_the_shared_filters(
        self, canaries: Engine, read_as_role: Become, box: str, value: str
    ) -> None:
        read_as_role("pcn_lead", A.code, A1.code)
        view = View.open("workforce", {"icb": A.code})
        chosen = view.app.selectbox(key=box)
        chosen._value = value
        chosen.options.append(value)
        view.app.run()
        assert whose(marks(view.everything())) <= {A.word, A1.word}
        assert view.value("pcn") == A1.code

    def test_what_is_not_offered_is_not_done(
        self, canaries: Engine, read_as_role: Become, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        read_as_role("pcn_lead", A.code, A1.code)
        scope = reader().scope
        choices = choices_of(canaries, scope, Area(A.code, AS_AT, pcn_code=A1.code))
        assert choices is not None
        monkeypatch.setattr(meeting_mode, "going_on", lambda *_: None)
        for done in (
            lambda: upload._load([]),
            lambda: upload._drop(1),
            lambda: upload._undo(1),
            upload.upload_box,
            upload.history_list,
            lambda: meeting_mode._begin(scope, choices),
            lambda: meeting_mode._close(scope, choices, 1),
            lambda: target_editor._told(A.code, lambda: pytest.fail("it was set"), ""),
        ):
            with pytest.raises(access.NotAllowedError):
                done()

    def test_nor_is_it_drawn_and_it_is_said_where_it_is(
        self, canaries: Engine, read_as_role: Become
    ) -> None:
        read_as_role("pcn_lead", A.code, A1.code)
        data = View.open("data", {"icb": A.code})
        assert not data.app.get("file_uploader")
        assert upload.FOR_ANALYSTS in data.words()
        week = View.open("this-week", {"icb": A.code})
        assert "begin meeting" not in [button.key for button in week.app.button]
        assert meeting_mode.NOT_YOURS in week.words()
        workforce = View.open("workforce", {"icb": A.code})
        assert target_editor.NOT_HERE in workforce.words()
        assert LEFT_OUT in workforce.words()
        assert not [button for button in workforce.app.button if button.label == "Set target"]

    def test_nobody_writes_onto_another_network(self, canaries: Engine) -> None:
        scope = Scope(frozenset({A.code}), frozenset({(A.code, A1.code)}))
        theirs = actions.actions(canaries, EVERYTHING, A.code)
        number = int(theirs.loc[theirs["pinned_code"] == A2.code, "id"].iloc[0])
        edit = ActionEdit("note", "mine", pinned_kind="pcn", pinned_code=A2.code)
        for write_it in (
            lambda: actions.add_action(canaries, scope, A.code, edit, "me"),
            lambda: actions.change_action(canaries, scope, number, 1, edit, "me"),
            lambda: actions.action_history(canaries, scope, number),
        ):
            with pytest.raises(LookupError):
                write_it()
        with pytest.raises(actions.NotSavedError):
            actions.save_all(canaries, scope, A.code, [Wanted(edit)], "me")
        pd.testing.assert_frame_equal(actions.actions(canaries, EVERYTHING, A.code), theirs)
