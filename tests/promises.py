"""The promises, the tests of each, and how many cases a run tried: `python -m tests.promises JUNIT...`."""

from __future__ import annotations

import argparse
import ast
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from xml.etree import ElementTree as ET

ROOT = Path(__file__).resolve().parent.parent
BEGIN, END = "<!-- promises: begin -->", "<!-- promises: end -->"
NOT_YET = "Not generated yet."


@dataclass(frozen=True)
class Promise:
    """What is promised, in a sentence, and the tests of it: files, or `file::name`, with `*` for any
    letters."""

    words: str
    tests: tuple[str, ...]


PROMISES = (
    Promise(
        "No load is half done: it is there whole, or not at all, and never twice.",
        (
            "tests/faults/test_kill.py",
            "tests/faults/test_disk_full.py",
            "tests/faults/test_database_faults.py",
            "tests/queries/test_save.py",
            "tests/queries/test_jobs.py",
            "tests/queries/test_history.py",
            "tests/test_loading.py",
            "tests/intake/test_loading.py",
        ),
    ),
    Promise(
        "Nobody sees what is another area's, nor that it is there.",
        (
            "tests/test_gate.py",
            "tests/test_sign_in.py",
            "tests/test_given.py",
            "tests/rules/test_roles.py",
            "tests/app/test_access.py",
            "tests/app/test_access_page.py",
            "tests/app/test_canaries.py",
            "tests/browser/test_sign_in.py",
            "tests/queries/test_row_security.py",
            "tests/queries/test_database_roles.py",
            "tests/queries/test_scope_everywhere.py",
            "tests/queries/test_reads.py::*reader*",
            "tests/test_data.py",
        ),
    ),
    Promise(
        "A hidden number can't be worked out from all that is shown.",
        (
            "tests/rules/test_disclosure.py",
            "tests/rules/test_disclosure_cases.py",
            "tests/rules/test_attacker.py",
            "tests/app/test_hidden_numbers.py",
            "tests/test_audit.py",
            "tests/test_export.py::*hidden*",
            "tests/test_mail.py::test_no_hidden_number_in_the_bytes",
            "tests/rules/test_mail_schedule.py::*small_number*",
        ),
    ),
    Promise(
        "Nothing that says who a patient is gets in, or leaves a trace.",
        (
            "tests/rules/test_nhs_number.py",
            "tests/intake/test_hostile_files.py::*nhs_number*",
            "tests/intake/test_hostile_files.py::*personal*",
            "tests/intake/test_local_returns.py::*personal*",
            "tests/intake/test_local_returns.py::test_the_reference_is_kept_as_a_hash_only",
            "tests/intake/test_loading.py::test_no_reference_and_no_hash_without_the_key",
            "tests/faults/test_no_trace.py",
            "tests/test_logs.py",
        ),
    ),
    Promise(
        "A hostile file costs nothing: it is refused within limits, with a reason.",
        (
            "tests/intake/test_hostile_files.py",
            "tests/intake/test_fuzz.py",
            "tests/intake/test_bad_files.py",
            "tests/intake/test_more_bad_files.py",
            "tests/test_upload_limits.py",
        ),
    ),
    Promise(
        "Nothing calls another host, unless somebody asks it to.",
        (
            "tests/app/test_no_calls.py",
            "tests/test_surface.py",
            "tests/browser/test_surface.py",
            "tests/test_fetch.py::test_only_listed_hosts_by_https",
            "tests/test_fetch.py::test_nothing_else_can_go_out",
            "tests/test_fetch.py::*another_host*",
            "tests/test_entry_point.py::test_nothing_is_told_to_streamlit_from_any_folder",
        ),
    ),
    Promise(
        "What is wrong, late, stale or unmatched is said on the page that rests on it.",
        (
            "tests/rules/test_freshness.py",
            "tests/rules/test_returns.py",
            "tests/rules/test_coverage.py",
            "tests/app/test_data_page.py",
            "tests/intake/test_local_returns.py::*match*",
        ),
    ),
    Promise(
        "It can be picked up: backup, restore and upgrade bring everything back.",
        (
            "tests/test_backup.py",
            "tests/queries/test_copy.py",
            "tests/queries/test_migrations.py",
            "tests/queries/test_release.py",
            "tests/app/test_database_commands.py",
            "tests/faults/test_two_processes.py",
        ),
    ),
)


@dataclass(frozen=True)
class Case:
    """One test with one set of values, and what came of it in a run."""

    test: str
    values: str
    state: str


@cache
def tests_in(path: Path) -> frozenset[str]:
    """The tests of a file, as `name` or `Class::name`."""
    body = ast.parse(path.read_text(encoding="utf-8")).body
    classes = [node for node in body if isinstance(node, ast.ClassDef)]
    return frozenset(
        {
            *_named_as_tests(body),
            *(f"{each.name}::{name}" for each in classes for name in _named_as_tests(each.body)),
        }
    )


def _named_as_tests(body: Iterable[ast.stmt]) -> Iterator[str]:
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith(
            "test_"
        ):
            yield node.name


def all_tests() -> Iterator[str]:
    """Every test there is, as `tests/file.py::name`."""
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        for name in sorted(tests_in(path)):
            yield f"{path.relative_to(ROOT).as_posix()}::{name}"


def fits(test: str, pattern: str) -> bool:
    """Whether a test is one of a pattern's."""
    return fnmatchcase(test, pattern if "::" in pattern else f"{pattern}::*")


def cases_of(junit: Iterable[Path]) -> list[Case]:
    """What became of each case of these runs; one that was in several counts once, and as failed if it
    failed in any. `ValueError` for a file that is none."""
    states: dict[tuple[str, str], set[str]] = {}
    for path in junit:
        try:
            root = ET.fromstring(path.read_text(encoding="utf-8"))
        except (OSError, ET.ParseError) as error:
            raise ValueError(
                f"{path}: expected a file of `pytest --junitxml`, found none ({error})"
            ) from None
        for node in root.iter("testcase"):
            name, _, values = node.get("name", "").partition("[")
            test = _test_of(node.get("classname", ""), name)
            states.setdefault((test, values), set()).add(_state(node))
    return [
        Case(*key, next(state for state in ("failed", "run", "skipped") if state in found))
        for key, found in sorted(states.items())
    ]


def _state(node: ET.Element) -> str:
    if node.find("failure") is not None or node.find("error") is not None:
        return "failed"
    return "skipped" if node.find("skipped") is not None else "run"


def _test_of(class_name: str, name: str) -> str:
    """`tests.test_gate` and a name as `tests/test_gate.py::name`; classes stand between the two."""
    parts = class_name.split(".")
    for end in range(len(parts), 0, -1):
        path = f"{'/'.join(parts[:end])}.py"
        if (ROOT / path).is_file():
            return "::".join([path, *parts[end:], name])
    # A file that could not be read at all stands under its own name, as an error.
    path = name.replace(".", "/") + ".py"
    return f"{path}::" if (ROOT / path).is_file() else f"{class_name}::{name}"


def table(cases: Sequence[Case]) -> str:
    """The table of promises, as Markdown: cases tried, failed and skipped; and what was not run."""
    lines = [
        "| promise | cases tried | failures | skipped |",
        "|---|---:|---:|---:|",
    ]
    for number, promise in enumerate(PROMISES, 1):
        mine = [
            case.state for case in cases if any(fits(case.test, each) for each in promise.tests)
        ]
        tried = len(mine) - mine.count("skipped")
        counts = f"{tried:,} | {mine.count('failed'):,} | {mine.count('skipped'):,}"
        lines.append(f"| {number}. {promise.words} | {counts} |")
    if missing := not_run(cases):
        lines += ["", f"In these runs no case of: {', '.join(f'`{each}`' for each in missing)}."]
    return "\n".join(lines)


def not_run(cases: Iterable[Case]) -> list[str]:
    """The patterns of which no case was tried."""
    tried = {case.test for case in cases if case.state != "skipped"}
    patterns = dict.fromkeys(each for promise in PROMISES for each in promise.tests)
    return [each for each in patterns if not any(fits(test, each) for test in tried)]


def runs(junit: Iterable[Path]) -> str:
    """When these runs were, in words."""
    days: Mapping[str, None] = dict.fromkeys(
        suite.get("timestamp", "")[:10]
        for path in junit
        for suite in ET.fromstring(path.read_text(encoding="utf-8")).iter("testsuite")
    )
    return ", ".join(sorted(day for day in days if day)) or "a day that is not told"


def written(text: str, made: str) -> str:
    """The text with what stands between the two marks replaced; `ValueError` where they are not."""
    before, begun, rest = text.partition(BEGIN)
    _, ended, after = rest.partition(END)
    if not begun or not ended:
        raise ValueError(f"expected {BEGIN} and after it {END}")
    return f"{before}{BEGIN}\n{made}\n{END}{after}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table, or write it; 1 where a case failed, or a pattern had none."""
    parser = argparse.ArgumentParser(prog="python -m tests.promises", description=__doc__)
    parser.add_argument("junit", nargs="+", type=Path, help="what `pytest --junitxml` wrote")
    parser.add_argument("--write", type=Path, help="the file in which the table stands")
    asked = parser.parse_args(arguments)
    try:
        cases = cases_of(asked.junit)
        made = f"From runs of {runs(asked.junit)}.\n\n{table(cases)}"
        if asked.write:
            asked.write.write_text(
                written(asked.write.read_text(encoding="utf-8"), made), encoding="utf-8"
            )
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    print(made)
    ours = [
        case
        for case in cases
        if any(fits(case.test, each) for promise in PROMISES for each in promise.tests)
    ]
    return 1 if not_run(cases) or any(case.state == "failed" for case in ours) else 0


if __name__ == "__main__":
    sys.exit(main())
