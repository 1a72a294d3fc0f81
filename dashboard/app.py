"""The entry point: `streamlit run dashboard/app.py`, from any folder."""

from __future__ import annotations

import sys
import tomllib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# Streamlit puts this file's folder on the path, and the packages lie beside it.
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

import streamlit as st  # noqa: E402
from streamlit import config  # noqa: E402


def apply_settings(path: Path) -> None:
    """Set every option of the settings file that was not set by a flag or the environment.

    Streamlit looks for the file from the working directory only, and elsewhere would lose
    the theme and the safety of the error pages without a word.
    """

    def walk(prefix: str, values: dict[str, object]) -> None:
        for name, value in values.items():
            option = f"{prefix}.{name}".lstrip(".")
            if isinstance(value, dict):
                walk(option, value)
            elif not config.is_manually_set(option):
                config.set_option(option, value, str(path))

    walk("", tomllib.loads(path.read_text(encoding="utf-8")))


apply_settings(ROOT / ".streamlit" / "config.toml")

from starlette.formparsers import MultiPartParser  # noqa: E402

# What is uploaded stays in memory: by itself it would be written to a temporary file on the way.
MultiPartParser.spool_max_size = 1 << 40

from dashboard import errors, network, routes, warm_up  # noqa: E402

network.send_at_once()


@asynccontextmanager
async def lifespan(_app: st.App) -> AsyncIterator[None]:
    """Have everything a first page needs in memory soon after the server is there."""
    warm_up.start()
    yield


app = st.App(
    ROOT / "dashboard" / "main.py",
    routes=routes.ROUTES,
    middleware=routes.MIDDLEWARE,
    lifespan=lifespan,
    on_script_error=errors.show_error_id,
)
