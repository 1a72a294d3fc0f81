"""The layout and who may import whom."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
TOP_LEVEL = {"dashboard", "pages", "queries", "geodata", "tests"}
FORBIDDEN_NAMES = {"utils", "helpers", "common", "misc"}
LONGEST_PAGE = 60

# What each place may import of ours, and which of the large libraries.
# The first entry whose folder holds the file counts.
RULES: tuple[tuple[str, set[str], set[str]], ...] = (
    ("dashboard/rules", {"dashboard.rules"}, {"pandas", "numpy", "scipy"}),
    (
        "dashboard/charts",
        {"dashboard.rules", "dashboard.charts"},
        {"plotly", "pandas", "matplotlib"},
    ),
    (
        "dashboard/intake",
        {
            "dashboard.intake",
            "dashboard.rules",
            "queries.day_counts",
            "queries.load",
            "queries.lookups",
            "queries.mappings",
            "geodata",
        },
        {"pandas", "numpy", "scipy", "pyarrow", "shapely", "geopandas", "sqlalchemy", "openpyxl"},
    ),
    (
        "dashboard/demonstration",
        {
            "dashboard.demonstration",
            "dashboard.intake",
            "dashboard.rules",
            "queries.load",
            "queries.loads",
            "queries.scope",
            "geodata",
        },
        {"pandas", "numpy", "sqlalchemy"},
    ),
    ("queries", {"queries"}, {"sqlalchemy", "pandas", "numpy", "pyarrow", "alembic"}),
    ("geodata", {"geodata"}, {"geopandas", "shapely", "pyproj", "numpy", "scipy", "pandas"}),
    ("pages", {"dashboard", "queries"}, {"streamlit"}),
    (
        "dashboard",
        {"dashboard", "queries", "geodata"},
        {"streamlit", "pandas", "numpy", "sqlalchemy", "shapely"},
    ),
)
LARGE = {
    "streamlit", "plotly", "geopandas", "pandas", "numpy", "scipy", "sqlalchemy", "alembic",
    "shapely", "pyproj", "openpyxl", "pyarrow", "matplotlib",
}  # fmt: skip


def python_files() -> list[Path]:
    return sorted(path for top in TOP_LEVEL - {"tests"} for path in (ROOT / top).rglob("*.py"))


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def broken_imports(path: str, names: list[str]) -> list[str]:
    """The imports a file must not have, by the first rule that holds for its folder."""
    ours, large = next(rule[1:] for rule in RULES if path.startswith(f"{rule[0]}/"))
    broken = []
    for name in names:
        top = name.split(".")[0]
        if top in TOP_LEVEL:
            inside = any(name == allowed or name.startswith(f"{allowed}.") for allowed in ours)
            # `from dashboard import x` names the package first, then what is taken from it.
            names_package_only = any(allowed.startswith(f"{name}.") for allowed in ours)
            if not inside and not names_package_only:
                broken.append(name)
        elif top in LARGE - large:
            broken.append(name)
    return broken


@pytest.mark.parametrize("path", python_files(), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_imports_run_one_way(path: Path) -> None:
    relative = path.relative_to(ROOT).as_posix()
    assert broken_imports(relative, list(imports(path))) == []


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("dashboard/rules/coverage.py", "streamlit"),
        ("dashboard/rules/coverage.py", "queries.places"),
        ("dashboard/charts/bars.py", "dashboard.show"),
        ("dashboard/chart_file.py", "matplotlib"),
        ("queries/places.py", "dashboard.rules.coverage"),
        ("queries/places.py", "streamlit"),
        ("geodata/shapes.py", "sqlalchemy"),
        ("pages/coverage.py", "pandas"),
        ("pages/coverage.py", "geodata.shapes"),
        ("dashboard/intake/workforce.py", "queries.places"),
        ("dashboard/intake/workforce.py", "dashboard.show"),
    ],
)
def test_the_rule_catches(path: str, name: str) -> None:
    assert broken_imports(path, [name]) == [name]


def test_pages_are_short() -> None:
    lengths = {
        page.name: len(page.read_text(encoding="utf-8").splitlines())
        for page in (ROOT / "pages").glob("*.py")
    }
    assert lengths
    assert {name: length for name, length in lengths.items() if length > LONGEST_PAGE} == {}


def test_every_module_says_what_it_is() -> None:
    silent = [
        path.relative_to(ROOT).as_posix()
        for path in python_files()
        if not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert silent == []


def test_no_module_is_named_after_nothing() -> None:
    assert [path for path in python_files() if path.stem in FORBIDDEN_NAMES] == []


def test_no_code_folder_beside_the_five() -> None:
    with_code = {path.relative_to(ROOT).parts[0] for path in ROOT.rglob("*.py")}
    assert {name for name in with_code if not name.startswith(".")} <= TOP_LEVEL | {"local", "venv"}


def test_sql_stands_in_queries_only() -> None:
    """`text("...")` of SQLAlchemy, and statements built by hand, stay in one place."""
    offenders = [
        path.relative_to(ROOT).as_posix()
        for path in python_files()
        if not path.is_relative_to(ROOT / "queries")
        and "sqlalchemy" in {name.split(".")[0] for name in imports(path)}
        and set(imports(path)) & {"sqlalchemy.select", "sqlalchemy.text", "sqlalchemy.insert"}
    ]
    assert offenders == []
