"""The bench of every page: its table, and how statements are counted."""

from __future__ import annotations

from sqlalchemy import create_engine, text

from tests.bench.pages import Cost, counted_statements, table


def test_each_page_stands_beside_the_empty_one() -> None:
    told = table(
        [Cost("empty", 90, 6, 2.5, 500, None, None), Cost("Data", 400, 15, 10, 9_000, 5, 1.25)]
    )
    head, _, empty, data = told.splitlines()
    assert head.count("|") == 10
    assert empty == "| empty | 90 | 6.0 | 2.5 | 500 | – | – | 1.00 | 1.00 |"
    assert data == "| Data | 400 | 15.0 | 10.0 | 9,000 | 5 | 1.2 | 2.50 | 4.00 |"


def test_statements_are_counted_inside_the_block_alone() -> None:
    engine = create_engine("sqlite://")
    with engine.connect() as connection:
        connection.execute(text("SELECT 1"))
        with counted_statements() as asked:
            connection.execute(text("SELECT 2"))
            connection.execute(text("SELECT 3"))
        connection.execute(text("SELECT 4"))
    assert asked == ["SELECT 2", "SELECT 3"]
