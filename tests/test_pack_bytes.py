"""No hidden and no true number in any byte of a pack: not in its files, nor in what they hold."""

from __future__ import annotations

import io
import json
import re
import shutil
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pypdf
import pytest
from sqlalchemy import Engine

from dashboard import data
from dashboard.filters import Area
from dashboard.meeting_pack import meeting_pack
from dashboard.pack.content import Pack, to_json
from dashboard.pack_work import FORMS, write
from dashboard.settings import settings
from queries.database import make_engine
from queries.scope import EVERYTHING
from tests.small_board import (
    ABBEY,
    AS_AT,
    BOARD,
    BROOK,
    CASTLE,
    DALE,
    NORTH,
    SOUTH,
    Board,
    Referrals,
)

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("settings_as_shipped")]

# True counts that nobody may see: each is shown as the next multiple of 5.
TRUE = Board(
    referrals=(
        Referrals(ABBEY, NORTH, (2_001, 3_001, 4_001, 3_358)),  # 12,361, shown as 12,360
        Referrals(BROOK, NORTH, (4_002, 4_003, 4_004, 4_005)),  # 16,014, shown as 16,015
        Referrals(CASTLE, SOUTH, (51, 52, 53, 61)),  # 217, shown as 215
        Referrals(DALE, SOUTH, (0, 1, 1, 1)),  # 3, hidden
    )
)
NEVER, SHOWN = r"(?<![\d.,])(12,?361|16,?014)(?![\d])", r"(?<![\d.,])(12,?360|16,?015)(?![\d])"


@pytest.fixture
def pack_of(
    monkeypatch: pytest.MonkeyPatch, upgraded_file: Path, tmp_path: Path
) -> Iterator[Callable[[Board], Pack]]:
    """The pack of a board of one's own."""

    def make(board: Board) -> Pack:
        path = Path(shutil.copy(upgraded_file, tmp_path / f"{len(list(tmp_path.iterdir()))}.db"))
        engine: Engine = make_engine(f"sqlite:///{path.as_posix()}")
        board.save(engine)
        engine.dispose()
        monkeypatch.setenv("DASHBOARD_DATABASE_URL", f"sqlite:///{path.as_posix()}")
        settings.cache_clear()
        made = meeting_pack(data.engine(), EVERYTHING, Area(BOARD, AS_AT), "2026-05-31")
        assert made is not None
        return made

    yield make
    data.engine().dispose()
    settings.cache_clear()


def texts(body: bytes) -> Iterator[str]:
    """All that a file says, with what is inside it, and inside that."""
    if zipfile.is_zipfile(io.BytesIO(body)):
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            for name in archive.namelist():
                yield name
                yield from texts(archive.read(name))
    elif body.startswith(b"%PDF-"):
        reader = pypdf.PdfReader(io.BytesIO(body))
        yield from (page.extract_text() for page in reader.pages)
        yield str(reader.metadata)
        # Alternative texts and bookmarks, too.
        for number in range(1, len(reader.xref_objStm) + 1):
            yield str(reader.get_object(number))
    else:
        yield body.decode("utf-8", errors="ignore")


def test_true_counts_are_in_no_byte(pack_of: Callable[[Board], Pack]) -> None:
    pack = pack_of(TRUE)
    for form in FORMS:
        said = "\n".join(texts(write(pack, form)))
        assert re.findall(NEVER, said) == [], form
        assert re.findall(SHOWN, said), form


def test_a_hidden_count_changes_nothing(pack_of: Callable[[Board], Pack]) -> None:
    """Three or four people of a ward are the same pack, but for the sums of the files."""
    few, more = (
        replace(TRUE, referrals=(*TRUE.referrals[:3], Referrals(DALE, SOUTH, (0, 1, 1, last))))
        for last in (1, 2)
    )
    one, other = (_without_sums(pack_of(board)) for board in (few, more))
    assert one == other


def _without_sums(pack: Pack) -> dict[str, object]:
    found: dict[str, object] = json.loads(to_json(pack))
    return {name: value for name, value in found.items() if name not in ("sources", "config")}
