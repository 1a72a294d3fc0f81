"""`python -m dashboard`: what each command does, says and returns: 0 done, 1 refused, 2 misused."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from pydantic import ValidationError
from sqlalchemy import Engine
from typer.testing import CliRunner, Result

from dashboard import commands
from dashboard.access import current_user
from dashboard.commands import app
from dashboard.fetch import fetch
from dashboard.intake.mapping import Mapping, fingerprint
from dashboard.settings import settings
from queries import history, jobs, loads, mappings
from queries.scope import EVERYTHING
from tests import outcome_board, test_fetch
from tests.conftest import rest_is_slow
from tests.intake import files
from tests.queries.test_save import contents, rows_in
from tests.small_board import BOARD, Board

# Whole pages, the command line or the server: `test_pages` has one quick look at each.
pytestmark = pytest.mark.slow


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


@pytest.fixture
def new(
    use_database: Callable[[Path], Engine], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Engine:
    """A database file that is not there yet."""
    monkeypatch.chdir(tmp_path)
    return use_database(tmp_path / "new.db")


@pytest.fixture
def here(new: Engine, read_here: None) -> Engine:
    """The same, and files are read in this process: for all that does not ask how they are."""
    return new


@pytest.fixture
def own_demonstration(
    use_database: Callable[[Path], Engine], demonstration_path: Path, tmp_path: Path
) -> Engine:
    """A copy of the demonstration, which may be changed."""
    shutil.copy(demonstration_path, tmp_path / "own.db")
    return use_database(tmp_path / "own.db")


@pytest.mark.parametrize(
    "arguments",
    [
        ["nonsense"],
        ["load"],
        ["load", "no-such-file.csv"],
        ["undo"],
        ["undo", "first"],
        ["history", "--load", "first"],
        ["templates"],
        ["export"],
        ["export", "coverage"],
        ["export", "secrets", "--icb", "QDK"],
        ["export", "coverage", "--icb", "QDK", "--format", "pdf"],
        ["export", "coverage", "--icb", "QDK", "--as-at", "yesterday"],
        ["demo", "--again"],
        ["audit"],
        ["audit", "--icb", "QDK", "--as-at", "yesterday"],
    ],
)
def test_misused(new: Engine, arguments: list[str]):
    assert run(*arguments).exit_code == 2


def test_a_good_file_is_loaded(new: Engine, tmp_path: Path):
    path = tmp_path / "lookup.csv"
    path.write_text(files.LSOA_WARD)
    told = run("load", str(path))
    assert told.exit_code == 0
    assert "lookup.csv: lsoa ward, 3 rows" in told.output
    assert list(loads.sources(new, EVERYTHING)["file_name"]) == ["lookup.csv"]


def test_the_same_file_twice_is_said_and_not_an_error(new: Engine, tmp_path: Path):
    path = tmp_path / "lookup.csv"
    path.write_text(files.LSOA_WARD)
    run("load", str(path))
    again = run("load", str(path))
    assert again.exit_code == 0
    assert "lookup.csv" in again.output
    assert len(loads.sources(new, EVERYTHING)) == 1


def test_a_bad_file_is_refused_and_the_others_are_loaded(here: Engine, tmp_path: Path):
    good, bad = tmp_path / "lookup.csv", tmp_path / "odd.csv"
    good.write_text(files.LSOA_WARD)
    bad.write_text("a,b\n1,2\n")
    told = run("load", str(bad), str(good))
    assert told.exit_code == 1
    assert "odd.csv" in told.output
    assert list(loads.sources(here, EVERYTHING)["file_name"]) == ["lookup.csv"]


def test_a_real_file_removes_the_demonstration_and_says_so(
    own_demonstration: Engine, tmp_path: Path
):
    path = tmp_path / "lookup.csv"
    path.write_text(files.LSOA_WARD)
    told = run("load", str(path))
    assert told.exit_code == 0
    assert "the demonstration was removed" in " ".join(told.output.split())
    assert not loads.data_state(own_demonstration).is_demonstration


def test_the_demonstration_is_made_once(own_demonstration: Engine):
    told = run("demo")
    assert told.exit_code == 0
    assert "already there" in told.output


def test_the_demonstration_is_removed(own_demonstration: Engine):
    told = run("demo", "--remove")
    assert told.exit_code == 0
    assert "was removed" in told.output
    assert not loads.data_state(own_demonstration).is_demonstration
    again = run("demo", "--remove")
    assert again.exit_code == 0
    assert "There was no demonstration" in again.output


def test_the_demonstration_is_refused_beside_real_files(load_board: Callable[[Board], Engine]):
    engine = load_board(Board())
    told = run("demo")
    assert told.exit_code == 1
    assert not loads.data_state(engine).is_demonstration


@pytest.mark.parametrize("form", rest_is_slow("csv", "json", "xlsx"))
@pytest.mark.parametrize("subject", ["coverage", "workforce"])
def test_an_export_is_written(small_board: Engine, tmp_path: Path, subject: str, form: str):
    out = tmp_path / f"figures.{form}"
    told = run(
        "export", subject, "--icb", BOARD, "--as-at", "2026-06-30", "--format", form,
        "--out", str(out),
    )  # fmt: skip
    assert told.exit_code == 0
    body = out.read_bytes()
    assert body.startswith({"csv": b"\xef\xbb\xbf", "json": b"{", "xlsx": b"PK"}[form])
    if form == "json":
        assert json.loads(body)["meta"]["icb_code"] == BOARD


def test_an_export_of_a_board_that_is_not_there_is_refused(small_board: Engine):
    told = run("export", "coverage", "--icb", "QXX")
    assert told.exit_code == 1
    assert "Nothing to export" in told.output


def test_an_empty_database_has_nothing_to_export(new: Engine):
    assert run("export", "coverage", "--icb", BOARD).exit_code == 1


# What somebody could work out of the exports.


@pytest.mark.parametrize("icb_code", ["QXX", ""], ids=["unknown", "none"])
def test_an_audit_of_a_board_that_is_not_there_is_refused(small_board: Engine, icb_code: str):
    told = run("audit", "--icb", icb_code)
    assert told.exit_code == 1
    assert "is loaded" in told.output


def test_an_audit_says_how_many_are_hidden(
    use_database: Callable[[Path], Engine], upgraded_file: Path, tmp_path: Path
):
    outcome_board.loaded(upgraded_file, tmp_path).dispose()
    use_database(tmp_path / "outcomes.db")
    told = run("audit", "--icb", BOARD, "--as-at", "2026-06-30")
    assert told.exit_code == 0
    assert re.search(r"\d+ numbers of people shown, \d+ hidden", " ".join(told.output.split()))


def test_an_audit_that_finds_something_fails(small_board: Engine, monkeypatch: pytest.MonkeyPatch):
    """As if an export showed a total that is not the one released: at most 292 less at least 291."""
    row = {"section": "pathway", "breakdown": "sex", "figure": "referred", "out_of": None}
    rows = [
        row | {"group_code": "female", "people": 175}, row | {"group_code": "other", "people": "*"},
        row | {"group_code": "male", "people": 120},
        row | {"breakdown": "board", "group_code": BOARD, "people": 290},
    ]  # fmt: skip
    leaking = {"outcomes": lambda *_: ({}, rows), "workforce": lambda *_: ({}, [])}
    monkeypatch.setattr(commands.export, "SUBJECTS", leaking)
    told = run("audit", "--icb", BOARD, "--as-at", "2026-06-30")
    assert told.exit_code == 1
    assert "other" in told.output


# The profile that hides nothing.


def with_profile(monkeypatch: pytest.MonkeyPatch, **values: str) -> None:
    for name, value in values.items():
        monkeypatch.setenv(f"DASHBOARD_{name.upper()}", value)
    settings.cache_clear()


def test_the_internal_profile_is_refused_by_itself(monkeypatch: pytest.MonkeyPatch):
    with_profile(monkeypatch, disclosure_profile="internal")
    with pytest.raises(ValidationError, match="allow_internal"):
        settings()
    with_profile(monkeypatch, allow_internal="false")
    with pytest.raises(ValidationError, match="allow_internal"):
        settings()
    with_profile(monkeypatch, allow_internal="true")
    assert settings().disclosure_profile == "internal"
    with_profile(monkeypatch, disclosure_profile="secret")
    with pytest.raises(ValidationError, match="disclosure_profile"):
        settings()
    monkeypatch.undo()
    settings.cache_clear()


def test_to_allow_it_is_not_to_use_it(monkeypatch: pytest.MonkeyPatch):
    with_profile(monkeypatch, allow_internal="true")
    assert settings().disclosure_profile == "nhs"
    monkeypatch.undo()
    settings.cache_clear()


@pytest.mark.parametrize("subject", rest_is_slow("outcomes", *commands.export.SUBJECTS))
def test_nothing_is_exported_under_the_internal_profile(
    small_board: Engine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, subject: str
):
    with_profile(monkeypatch, disclosure_profile="internal", allow_internal="true")
    out = tmp_path / "figures.csv"
    told = run("export", subject, "--icb", BOARD, "--as-at", "2026-06-30", "--out", str(out))
    assert told.exit_code == 1
    assert "internal" in told.output
    assert not out.exists()


# Loading, and what is said of it.


def written(folder: Path, **texts: str) -> list[str]:
    """Files of these names, each with the ending .csv."""
    for name, text in texts.items():
        (folder / f"{name}.csv").write_text(text, encoding="utf-8")
    return [str(folder / f"{name}.csv") for name in texts]


def flat(told: Result) -> str:
    return " ".join(told.stderr.split())


SUPPLIERS = "Case ID,Date seen first by us,Electoral area\nr1,2026-01-31,E05000001\n"
MAPPING = Mapping(
    "referrals",
    {"reference": "Case ID", "received": "Date seen first by us", "ward_code": "Electoral area"},
)
ONE_IN_TWENTY = "reference,received,ward_code,pcn_code\n" + "".join(
    f"r{n},{'nonsense' if n == 20 else f'2026-01-{n:02}'},E05000001,U00001\n" for n in range(1, 21)
)


def test_the_dataset_may_be_named(here: Engine, tmp_path: Path):
    lookup, services = written(tmp_path, lookup=files.LSOA_WARD, services=files.SERVICES)
    assert run("load", lookup, "--dataset", "lsoa_ward").exit_code == 0
    told = run("load", services, "--dataset", "lsoa_ward")
    assert told.exit_code == 1
    assert "services.csv was refused" in flat(told)
    assert "is not a file of" in flat(told)
    told = run("load", services, "--dataset", "servcies")
    assert told.exit_code == 2
    assert "There is no dataset 'servcies': expected one of ward_boundaries," in flat(told)
    assert list(loads.sources(here, EVERYTHING)["file_name"]) == ["lookup.csv"]


def test_a_mapping_may_be_named(here: Engine, tmp_path: Path):
    supplier, again = written(tmp_path, supplier=SUPPLIERS, again=SUPPLIERS.replace("r1", "r2"))
    kept = tmp_path / "kept.json"
    kept.write_text(MAPPING.to_json())
    assert run("load", supplier).exit_code == 1
    told = run("load", supplier, "--mapping", str(kept))
    assert told.exit_code == 0
    assert "supplier.csv: referrals, 1 rows, adds 1, replaces 0" in flat(told)
    # Of other headings, so that it does not fit by itself.
    mappings.save_mapping(here, "ours", "referrals", fingerprint(["x"]), MAPPING.to_json(), None)
    assert run("load", again).exit_code == 1
    assert run("load", again, "--mapping", "ours", "--dataset", "referrals").exit_code == 0


@pytest.mark.parametrize(
    ("mapping", "words"),
    [
        ("nobody's", 'There is no mapping "nobody\'s": ours, theirs.'),
        ("not-there.json", "not-there.json: "),
        ("broken.json", "broken.json: not a column mapping: the text is not JSON."),
        ("other.json", "other.json: there is no dataset 'nonsense'."),
    ],
)
def test_a_mapping_that_is_none(here: Engine, tmp_path: Path, mapping: str, words: str):
    assert run("upgrade").exit_code == 0
    for name in ("ours", "theirs"):
        mappings.save_mapping(here, name, "referrals", name, MAPPING.to_json(), None)
    (tmp_path / "broken.json").write_text("{")
    (tmp_path / "other.json").write_text(Mapping("nonsense", {}).to_json())
    told = run("load", *written(tmp_path, supplier=SUPPLIERS), "--mapping", mapping)
    assert told.exit_code == 2
    assert flat(told).startswith(words)
    assert "load" not in rows_in(here)


def test_no_mapping_is_saved_yet(here: Engine, tmp_path: Path):
    told = run("load", *written(tmp_path, supplier=SUPPLIERS), "--mapping", "ours")
    assert (told.exit_code, flat(told)) == (2, "There is no mapping 'ours': none is saved yet.")


def test_a_mapping_of_another_dataset_than_the_one_named(here: Engine, tmp_path: Path):
    (tmp_path / "kept.json").write_text(MAPPING.to_json())
    supplier = written(tmp_path, supplier=SUPPLIERS)
    told = run("load", *supplier, "--mapping", "kept.json", "--dataset", "services")
    assert told.exit_code == 2
    assert flat(told) == "The mapping is of 'referrals', not of 'services'."


def test_a_dry_run_says_the_same_and_changes_nothing(here: Engine, tmp_path: Path):
    paths = written(tmp_path, services=files.SERVICES, odd="a,b\n1,2\n", part=ONE_IN_TWENTY)
    assert run("upgrade").exit_code == 0
    before = contents(here)
    told = run("load", *paths, "--dry-run")
    assert told.exit_code == 1
    assert "services.csv: services, 3 rows, adds 2, replaces 0" in flat(told)
    assert "part.csv: referrals, 20 rows, adds 1, replaces 0" in flat(told)
    assert "1 rows refused" in flat(told)
    assert "load 1" not in flat(told)
    assert contents(here) == before
    assert run("load", *paths[::2], "--dry-run").exit_code == 0


def test_loading_said_as_json(here: Engine, tmp_path: Path):
    paths = written(tmp_path, services=files.SERVICES, odd="a,b\n1,2\n", part=ONE_IN_TWENTY)
    told = run("load", paths[0], "--dry-run", "--json")
    notes = [
        "3 services of 2 providers",
        "1 not placed: neither an area served nor online",
        "1 with more places filled than offered",
    ]
    services = {
        "file": "services.csv", "state": "would be loaded", "dataset": "services", "load": None,
        "rows_read": 3, "rows_refused": 0, "parts_added": 2, "parts_replaced": 0, "notes": notes,
        "problems": [],
    }  # fmt: skip
    assert json.loads(told.stdout) == [services]
    told = run("load", *paths, "--json")
    assert told.exit_code == 1
    first, odd, part = json.loads(told.stdout)
    assert first == services | {"state": "loaded", "load": 1}
    (problem,) = odd.pop("problems")
    assert problem.startswith("this is none of the files known here; found the headings 'a', 'b'.")
    assert odd == {
        "file": "odd.csv", "state": "refused", "dataset": None, "load": None, "rows_read": 0,
        "rows_refused": 0, "parts_added": 0, "parts_replaced": 0, "notes": [],
    }  # fmt: skip
    assert (part["load"], part["rows_read"], part["rows_refused"]) == (2, 20, 1)
    told = run("load", paths[0], "--json")
    assert told.exit_code == 0
    (again,) = json.loads(told.stdout)
    (note,) = again.pop("notes")
    assert note.startswith("Already loaded on ")
    assert again == {
        "file": "services.csv", "state": "unchanged", "dataset": None, "load": None,
        "rows_read": 0, "rows_refused": 0, "parts_added": 0, "parts_replaced": 0, "problems": [],
    }  # fmt: skip
    fewer = written(tmp_path, fewer="\n".join(files.SERVICES.splitlines()[:3]))
    (replaced,) = json.loads(run("load", *fewer, "--json").stdout)
    assert (replaced["parts_added"], replaced["parts_replaced"]) == (0, 1)


@pytest.mark.slow
def test_files_that_need_others_are_loaded_after_them(here: Engine, tmp_path: Path):
    by_lsoa = "reference,received,lsoa_code,pcn_code\nr1,2026-01-31,E01000001,U00001\n"
    paths = written(tmp_path, referrals=by_lsoa, lookup=files.LSOA_WARD)
    assert run("load", paths[0]).exit_code == 1
    told = run("load", *paths, "--json")
    assert told.exit_code == 0
    assert [one["file"] for one in json.loads(told.stdout)] == ["lookup.csv", "referrals.csv"]
    assert loads.sources(here, EVERYTHING)["dataset"].tolist() == ["lsoa_ward", "referrals"]


def test_a_long_list_of_problems_is_cut_and_counted(here: Engine, tmp_path: Path):
    rows = "".join(f"r{n},nonsense,E05000001,U00001\n" for n in range(25))
    path = written(tmp_path, bad="reference,received,ward_code,pcn_code\n" + rows)
    told = run("load", *path)
    assert told.exit_code == 1
    assert told.stderr.count("- row ") == 20
    assert "- and 5 more" in told.stderr


# The history and undo.


@pytest.fixture
def loaded(here: Engine, tmp_path: Path) -> Engine:
    """Load 1 has a refused row; job 2 is refused, load 2 replaces nothing and is undone."""
    paths = written(tmp_path, part=ONE_IN_TWENTY, odd="a,b\n1,2\n", services=files.SERVICES)
    assert [run("load", path).exit_code for path in paths] == [0, 1, 0]
    assert run("undo", "2").exit_code == 0
    return here


def test_the_history_as_a_table(loaded: Engine):
    told = run("history")
    assert told.exit_code == 0
    rows = list(csv.DictReader(io.StringIO(told.stdout.removeprefix("\ufeff"))))
    assert [
        (row["load_id"], row["job_id"], row["file_name"], row["state"], row["rows_refused"])
        for row in rows
    ] == [
        ("2", "3", "services.csv", "loaded", "0"),
        ("", "2", "odd.csv", "refused", ""),
        ("1", "1", "part.csv", "loaded", "1"),
    ]
    assert [bool(row["undone_at"]) for row in rows] == [True, False, False]
    assert {row["who"] for row in rows} == {current_user()}


def test_the_history_as_json(loaded: Engine):
    newest, refused, first = json.loads(run("history", "--json").stdout)
    table = history.history(loaded, EVERYTHING)
    assert [newest["sha256"], refused["sha256"], first["sha256"]] == table["sha256"].tolist()
    for found in (newest, refused, first):
        assert found["at"].startswith("20")
    assert {name: first[name] for name in first if name not in ("at", "sha256", "message")} == {
        "load_id": 1, "job_id": 1, "who": current_user(), "file_name": "part.csv",
        "dataset": "referrals", "state": "loaded", "vintage": "2026-01 to 2026-01",
        "rows_in": 20, "rows_out": 19, "rows_refused": 1, "parts_in_force": 1, "undone_at": None,
    }  # fmt: skip
    assert (newest["parts_in_force"], newest["undone_at"] is None) == (0, False)
    assert refused["load_id"] is None


def test_the_rows_that_were_refused(loaded: Engine):
    """Load 2 and job 2 are different files."""
    (problem,) = json.loads(run("history", "--load", "1", "--json").stdout)
    assert (problem["row"], problem["column"]) == (21, "received")
    assert "nonsense" not in json.dumps(problem)
    assert json.loads(run("history", "--load", "2", "--json").stdout) == []
    (problem,) = json.loads(run("history", "--job", "2", "--json").stdout)
    assert problem["rule"].startswith("this is none of the files known here")
    for which in ("--load", "--job"):
        told = run("history", which, "9")
        assert (told.exit_code, told.stdout) == (1, "")
        assert flat(told) == "There is no such load or job with refusals."


def test_a_name_that_is_a_formula_is_none_in_the_history(here: Engine):
    run("upgrade")
    job_id = jobs.offer(here, "=1+1.csv", 1, "0" * 64, None)
    jobs.ended(here, job_id, "refused", "@SUM(1)")
    (row,) = csv.DictReader(io.StringIO(run("history").stdout.removeprefix("\ufeff")))
    assert (row["file_name"], row["message"]) == ("'=1+1.csv", "'@SUM(1)")


def test_undo(loaded: Engine, tmp_path: Path):
    assert loads.sources(loaded, EVERYTHING)["file_name"].tolist() == ["part.csv"]
    told = run("undo", "2")
    assert told.exit_code == 1
    assert flat(told).startswith("Load 2 was undone on ")
    told = run("undo", "9")
    assert (told.exit_code, flat(told)) == (1, "There is no load 9 to undo: `history` lists them.")
    assert run("load", *written(tmp_path, services=files.SERVICES)).exit_code == 0
    told = run("undo", "3")
    assert told.exit_code == 0
    assert flat(told) == "Load 3 (services.csv) was undone: 2 withdrawn, 0 restored."
    with loaded.connect() as connection:
        assert connection.exec_driver_sql(
            "SELECT undone_by FROM load ORDER BY id"
        ).scalars().all() == [None, current_user(), current_user()]  # fmt: skip


# Templates, the worker, fetching.


@pytest.mark.slow  # 20 files
def test_templates_are_written_and_load(here: Engine, tmp_path: Path):
    told = run("templates", str(tmp_path / "new" / "templates"))
    assert told.exit_code == 0
    paths = sorted((tmp_path / "new" / "templates").iterdir())
    assert sorted(told.stderr.split()) == [path.name for path in paths]
    assert len(paths) == 28
    told = run("load", *map(str, paths), "--json")
    assert told.exit_code == 0
    states = {one["file"]: (one["state"], one["rows_read"]) for one in json.loads(told.stdout)}
    assert states == {path.name: ("loaded", 1) for path in paths}


def test_a_worker_loads_what_waits_and_ends(
    here: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(commands.loading, "WAIT_FOR_LOCK_SECONDS", 0.0)
    run("upgrade")
    source = commands.Source.open(Path(written(tmp_path, services=files.SERVICES)[0]))
    job_id = jobs.offer(here, source.name, source.size, source.sha256, "Ann")
    commands.loading.check(here, job_id, source)
    assert jobs.queue(here, job_id)
    told = run("worker", "--until-idle")
    assert (told.exit_code, told.output) == (0, "")
    assert jobs.one(here, job_id).state == "loaded"
    with jobs.workers_lock(here):
        assert run("worker", "--until-idle").exit_code == 0


stand_in = test_fetch.stand_in


@pytest.fixture
def fetching(
    stand_in: test_fetch.StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> test_fetch.StandIn:
    """The command asks the stand-in, where the list of addresses is otherwise of publishers."""
    listed = test_fetch.addresses(
        stand_in, *(
            test_fetch.Item(name, name, address=f"{stand_in.url}/{name}.csv", file=f"{name}.csv")
            for name in ("one", "two")
        ),
    )  # fmt: skip
    here = partial(
        fetch, folder=tmp_path / "fetched", addresses=listed, limits=test_fetch.QUICK,
        sleep=lambda _seconds: None,
    )  # fmt: skip
    monkeypatch.setattr(commands, "fetch", here)
    stand_in.says("/one.csv", files.LSOA_WARD)
    stand_in.says("/two.csv", files.LSOA_ICB)
    return stand_in


def test_what_was_fetched_is_loaded(here: Engine, fetching: test_fetch.StandIn):
    told = run("fetch", "qzz")
    assert told.exit_code == 0
    assert sorted(loads.sources(here, EVERYTHING)["dataset"]) == ["lsoa_icb", "lsoa_ward"]
    told = run("fetch", "QZZ", "--only", "one")
    assert told.exit_code == 0
    assert "one.csv: unchanged" in flat(told)


def test_a_fetched_file_that_is_refused(here: Engine, fetching: test_fetch.StandIn):
    fetching.says("/two.csv", "a,b\n1,2\n")
    assert run("fetch", "QZZ").exit_code == 1
    assert list(loads.sources(here, EVERYTHING)["dataset"]) == ["lsoa_ward"]


def test_what_could_not_be_fetched_keeps_nothing_else_out(
    here: Engine, fetching: test_fetch.StandIn
):
    del fetching.paths["/one.csv"]
    told = run("fetch", "QZZ")
    assert told.exit_code == 1
    assert "one: failed, the server answered 404 Not Found" in flat(told)
    assert list(loads.sources(here, EVERYTHING)["dataset"]) == ["lsoa_icb"]
