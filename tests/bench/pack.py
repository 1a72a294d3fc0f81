"""The pack of the whole demonstration board, from nothing to each file, in one run:
`python -m tests.bench.pack`.

Beside each writer stands the least it could do: its library writing one page, sheet or file without
content. Times depend on the machine, so nothing here is asserted; ratios are what counts.
"""

from __future__ import annotations

import io
import os
import statistics
import tempfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROUNDS = 3


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        os.environ["DASHBOARD_DATABASE_URL"] = f"sqlite:///{Path(folder, 'bench.db').as_posix()}"
        os.environ["DASHBOARD_HASH_KEY"] = "k" * 32
        # Only now: the settings are read once.
        from dashboard import demonstration
        from dashboard.data import engine, prepare_database
        from dashboard.filters import Area
        from dashboard.meeting_pack import meeting_pack
        from dashboard.pack_work import FORMS, write
        from queries.scope import EVERYTHING

        prepare_database()
        demonstration.make(engine(), b"k" * 32)
        area = Area("QDK", demonstration.DEMONSTRATION_DATE)
        made: list[Any] = []
        cold = seconds(lambda: made.append(meeting_pack(engine(), EVERYTHING, area)))
        warm = seconds(lambda: made.append(meeting_pack(engine(), EVERYTHING, area)))
        pack = made[-1]
        print(f"| {len(pack.pages)} pages | seconds | limit | kB |\n|---|---|---|---|")
        print(
            f"| put together, cold | {cold:.1f} | – | – |\n| put together, again | {warm:.1f} | – | – |"
        )
        total = cold
        for form, about in FORMS.items():
            files: list[bytes] = []

            def written(form: str = form, files: list[bytes] = files) -> None:
                files.append(write(pack, form))

            taken = statistics.median(seconds(written) for _ in range(ROUNDS))
            limit = statistics.median(seconds(LIMITS[form]) for _ in range(ROUNDS))
            total += taken
            size = len(files[-1]) / 1_000
            print(f"| {about.title} | {taken:.2f} | {limit:.2f} | {size:,.0f} |")
        print(f"\nAll of it from cold: {total:.1f} s")
        engine().dispose()


def seconds(task: Callable[[], object]) -> float:
    """How long it takes."""
    start = time.perf_counter()
    task()
    return time.perf_counter() - start


def _empty_deck() -> None:
    import pptx

    deck = pptx.Presentation()
    deck.slides.add_slide(deck.slide_layouts[5])
    deck.save(io.BytesIO())


def _empty_page() -> None:
    import typst

    typst.Compiler(b'#set document(title: "empty")\nempty').compile(format="pdf")


def _empty_book() -> None:
    import xlsxwriter

    with xlsxwriter.Workbook(io.BytesIO(), {"in_memory": True}) as book:
        book.add_worksheet("empty")


def _empty_zip() -> None:
    with zipfile.ZipFile(io.BytesIO(), "w") as archive:
        archive.writestr("README.txt", "empty")


LIMITS: dict[str, Callable[[], None]] = {
    "pptx": _empty_deck, "pdf": _empty_page, "xlsx": _empty_book, "zip": _empty_zip,
}  # fmt: skip


if __name__ == "__main__":
    main()
