"""The documents name tests, tables, settings and commands that are there; and the table of promises."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from dashboard.commands import app
from dashboard.settings import Settings
from queries import tables
from tests import promises
from tests.promises import NOT_YET, PROMISES, ROOT

SECURITY, GOVERNANCE, README = (
    ROOT / name for name in ("SECURITY.md", "GOVERNANCE.md", "README.md")
)
DOCUMENTS = (SECURITY, GOVERNANCE)
EVERY_TEST = frozenset(promises.all_tests())
# Asked for by a command or a script, and no setting of the dashboard.
OF_COMMANDS = {"DASHBOARD_COPY_TO", "DASHBOARD_AUDIT"}

JUNIT = """<?xml version="1.0" encoding="utf-8"?>
<testsuites><testsuite name="pytest" timestamp="2026-11-21T10:00:00">
<testcase classname="tests.test_gate" name="test_these_are_open_to_all[/healthz]"/>
<testcase classname="tests.test_gate" name="test_these_are_open_to_all[/readyz]"><failure/></testcase>
<testcase classname="tests.test_gate" name="test_what_comes_from_elsewhere_is_not"/>
<testcase classname="tests.test_gate" name="test_what_comes_from_elsewhere_is_not"><error/></testcase>
<testcase classname="tests.rules.test_roles" name="test_roles_add_up"><skipped/></testcase>
<testcase classname="tests.test_logs.TestALine" name="test_is_plain_for_a_person"/>
<testcase classname="" name="tests.test_backup"><error/></testcase>
<testcase classname="tests.charts.test_funnel_plot" name="test_of_no_promise"/>
</testsuite></testsuites>
"""


def plain(path: Path) -> str:
    """The document without blocks of code."""
    return re.sub(r"^```.*?^```", "", path.read_text(encoding="utf-8"), flags=re.DOTALL | re.M)


@pytest.mark.parametrize(
    "pattern", dict.fromkeys(each for promise in PROMISES for each in promise.tests)
)
def test_each_pattern_has_a_test(pattern: str) -> None:
    assert any(promises.fits(test, pattern) for test in EVERY_TEST)


def test_what_a_pattern_fits() -> None:
    assert promises.fits("tests/test_gate.py::test_a", "tests/test_gate.py")
    assert promises.fits("tests/test_gate.py::TestA::test_a", "tests/test_gate.py")
    assert promises.fits("tests/test_gate.py::test_a_b", "tests/test_gate.py::*_b")
    assert not promises.fits("tests/test_gate.py::test_a_b", "tests/test_gate.py::*_a")
    assert not promises.fits("tests/app/test_gate.py::test_a", "tests/test_gate.py")


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_the_tests_that_are_named_are_there(path: Path) -> None:
    text = re.sub(f"{promises.BEGIN}.*{promises.END}", "", plain(path), flags=re.DOTALL)
    named = re.findall(r"`(tests/[\w/]+\.py)((?:::\w+)*)`", text)
    assert len(named) > 20
    missing = [
        file + name
        for file, name in named
        if (file + name not in EVERY_TEST if name else not (ROOT / file).is_file())
    ]
    assert missing == []


def test_each_threat_names_a_test_or_says_that_there_is_none() -> None:
    model = plain(SECURITY).partition("## Threat model")[2].partition("\n## ")[0]
    rows = [line for line in model.splitlines() if line.startswith("|") and "---" not in line]
    threats = [row for row in rows if not row.startswith("| threat ")]
    assert len(threats) > 30
    assert [row for row in threats if "::test_" not in row and "no test yet" not in row] == []


@pytest.mark.parametrize("path", [README, *DOCUMENTS], ids=lambda path: path.name)
def test_each_link_goes_somewhere(path: Path) -> None:
    text = re.sub(r"`[^`]*`", "", plain(path))
    links = re.findall(r"\]\(([^)\s]+)\)", text)
    assert links
    lost = [
        link
        for link in links
        if not re.match(r"https?:|mailto:", link) and not _is_there(path, link)
    ]
    assert lost == []


def _is_there(path: Path, link: str) -> bool:
    file, _, anchor = link.partition("#")
    target = (path.parent / file).resolve() if file else path
    if not target.exists() or not target.is_relative_to(ROOT):
        return False
    return not anchor or anchor in set(_anchors(target))


def _anchors(path: Path) -> Iterator[str]:
    for heading in re.findall(r"^#+ (.+)$", plain(path), flags=re.M):
        yield re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def test_every_table_is_in_what_is_kept() -> None:
    kept = plain(GOVERNANCE).partition("## What is kept")[2].partition("\n## ")[0]
    named = set(re.findall(r"`(\w+)`", kept))
    assert set(tables.metadata.tables) - named == set()


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_settings_that_are_named_are_there(path: Path) -> None:
    named = set(re.findall(r"DASHBOARD_[A-Z_]+", path.read_text(encoding="utf-8"))) - OF_COMMANDS
    known = {f"DASHBOARD_{name.upper()}" for name in Settings.model_fields}
    assert named - known == set()


@pytest.mark.parametrize("path", [README, *DOCUMENTS], ids=lambda path: path.name)
def test_commands_that_are_named_are_there(path: Path) -> None:
    text = re.sub(r"\s+", " ", path.read_text(encoding="utf-8"))
    named = re.findall(r"python -m dashboard ([a-z-]+)(?: ([a-z-]+)\b)?", text)
    assert named
    known: dict[str, Any] = get_command(app).commands  # type: ignore[attr-defined]
    missing = [
        words
        for words in named
        if words[0] not in known
        or (hasattr(known[words[0]], "commands") and words[1] not in known[words[0]].commands)
    ]
    assert missing == []


def test_the_table_is_of_the_promises_as_they_are() -> None:
    text = README.read_text(encoding="utf-8")
    table = text.partition(promises.BEGIN)[2].partition(promises.END)[0]
    if NOT_YET in table:
        assert "|" not in table
        return
    rows = re.findall(r"^\| (\d)\. (.+?) \|", table, flags=re.M)
    assert rows == [(str(number), promise.words) for number, promise in enumerate(PROMISES, 1)]


@pytest.fixture
def junit(tmp_path: Path) -> Path:
    path = tmp_path / "run.xml"
    path.write_text(JUNIT, encoding="utf-8")
    return path


def test_what_a_run_says(junit: Path) -> None:
    states = {(case.test, case.values): case.state for case in promises.cases_of([junit])}
    open_to_all = "tests/test_gate.py::test_these_are_open_to_all"
    assert states == {
        (open_to_all, "/healthz]"): "run",
        (open_to_all, "/readyz]"): "failed",
        # It went well, and what came after it did not.
        ("tests/test_gate.py::test_what_comes_from_elsewhere_is_not", ""): "failed",
        ("tests/rules/test_roles.py::test_roles_add_up", ""): "skipped",
        ("tests/test_logs.py::TestALine::test_is_plain_for_a_person", ""): "run",
        # A file that could not be read.
        ("tests/test_backup.py::", ""): "failed",
        ("tests/charts/test_funnel_plot.py::test_of_no_promise", ""): "run",
    }


def test_the_table_of_a_run(junit: Path) -> None:
    made = promises.table(promises.cases_of([junit]))
    counts = [line.rsplit(" | ", 3)[1:] for line in made.splitlines()[2:10]]
    assert [[each.rstrip(" |") for each in line] for line in counts] == [
        ["0", "0", "0"],
        ["3", "2", "1"],
        ["0", "0", "0"],
        ["1", "0", "0"],
        ["0", "0", "0"],
        ["0", "0", "0"],
        ["0", "0", "0"],
        ["1", "1", "0"],
    ]
    not_run = made.splitlines()[-1]
    assert "`tests/faults/test_kill.py`" in not_run
    # Nothing that was skipped was tried.
    assert "`tests/rules/test_roles.py`" in not_run
    assert "`tests/test_gate.py`" not in not_run


def test_the_same_case_in_two_runs_is_one(junit: Path, tmp_path: Path) -> None:
    other = tmp_path / "slow.xml"
    other.write_text(JUNIT.replace("<skipped/>", ""), encoding="utf-8")
    both = promises.cases_of([junit, other])
    assert len(both) == len(promises.cases_of([junit]))
    assert {case.state for case in both if case.test.startswith("tests/rules")} == {"run"}


def test_it_is_written_in_its_place(
    junit: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    document = tmp_path / "README.md"
    document.write_text(f"before\n{promises.BEGIN}\n{NOT_YET}\n{promises.END}\nafter\n")
    # A case failed, and others were not run.
    assert promises.main([str(junit), "--write", str(document)]) == 1
    once = document.read_text()
    assert once.startswith(f"before\n{promises.BEGIN}\nFrom runs of 2026-11-21.\n\n| promise |")
    assert once.endswith(f"{promises.END}\nafter\n")
    assert promises.main([str(junit), "--write", str(document)]) == 1
    assert document.read_text() == once
    assert "| 3 | 2 | 1 |" in capsys.readouterr().out


def _testcase(test: str) -> str:
    file, *classes, name = test.split("::")
    class_name = ".".join([file.removesuffix(".py").replace("/", "."), *classes])
    return f'<testcase classname="{class_name}" name="{name}"/>'


@pytest.mark.parametrize(("left_out", "code"), [("", 0), ("tests/test_backup.py", 1)])
def test_all_went_well_only_where_all_was_tried(tmp_path: Path, left_out: str, code: int) -> None:
    path = tmp_path / "run.xml"
    cases = "".join(_testcase(test) for test in EVERY_TEST if test.split("::")[0] != left_out)
    path.write_text(f"<testsuites><testsuite>{cases}</testsuite></testsuites>", encoding="utf-8")
    assert promises.main([str(path)]) == code


@pytest.mark.parametrize("text", ["", "not xml", "<a>"])
def test_what_is_no_run(tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str) -> None:
    path = tmp_path / "run.xml"
    path.write_text(text, encoding="utf-8")
    assert promises.main([str(path)]) == 2
    assert "expected a file of `pytest --junitxml`" in capsys.readouterr().err


def test_a_document_without_the_place(junit: Path, tmp_path: Path) -> None:
    document = tmp_path / "other.md"
    document.write_text("nothing here\n")
    assert promises.main([str(junit), "--write", str(document)]) == 2
    assert document.read_text() == "nothing here\n"
