"""What is in memory before the first page begins."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

from dashboard.settings import ROOT

_ASKS = """
import sys
from dashboard import warm_up

warm_up.warm_up()
before = set(sys.modules)
warm_up.finish()
exec(sys.stdin.read(), {})
new = set(sys.modules) - before
print(*sorted(name for name in new if name.split(".")[0] in ("dashboard", "queries", "geodata")))
"""


def test_the_first_page_begins_with_all_of_its_parts(upgraded_file: Path):
    """What a page and the rest of the start import at the same time, each may get a half of."""
    asked = ""
    for name in ("dashboard/main.py", "pages/this_week.py"):
        script = ast.parse((ROOT / name).read_text(encoding="utf-8"))
        asked += "\n".join(
            ast.unparse(line)
            for line in script.body
            if isinstance(line, ast.Import | ast.ImportFrom)
        )
        asked += "\n"
    assert "frame" in asked
    assert "this_week" in asked
    address = f"sqlite:///{upgraded_file.as_posix()}"
    left = subprocess.run(
        [sys.executable, "-c", _ASKS], input=asked, cwd=ROOT, text=True, check=True, timeout=120,
        stdout=subprocess.PIPE, env={**os.environ, "DASHBOARD_DATABASE_URL": address},
    ).stdout  # fmt: skip
    assert left.split() == []
