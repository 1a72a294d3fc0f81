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

from dashboard import logs  # noqa: E402

# First, so that what the rest says on the way goes through it too.
logs.configure()

from pydantic import ValidationError  # noqa: E402
from starlette.formparsers import MultiPartParser  # noqa: E402
from starlette.middleware import Middleware  # noqa: E402

# What is uploaded stays in memory: by itself it would be written to a temporary file on the way.
MultiPartParser.spool_max_size = 1 << 40

from streamlit import runtime  # noqa: E402

from dashboard import drain, errors, metrics, network, routes, upload_limits, warm_up  # noqa: E402
from dashboard.settings import settings  # noqa: E402

try:
    chosen = settings()
# The library's own words name the setting and say why; the values are left out of them.
except ValidationError as error:
    sys.exit(f"Not started, since a setting cannot be used:\n{error}")
if why := chosen.why_not_serve(config.get_option("server.address")):
    sys.exit(why)
if chosen.cookie_secret is not None:
    # A sign-in under way is signed with it: whichever process it began in, it may end in another.
    config.set_option("server.cookieSecret", chosen.cookie_secret.get_secret_value(), "settings")
network.send_at_once()
network.ask_nobody_for_own_address()


@asynccontextmanager
async def lifespan(_app: st.App) -> AsyncIterator[None]:
    """Have everything a first page needs in memory soon after the server is there."""
    # Again: the server has set up handlers of its own since.
    logs.configure()
    upload_limits.watch(runtime.get_instance())
    warm_up.start()
    drain.at_sigterm()
    metrics.start(settings().metrics_port, settings().metrics_address)
    try:
        yield
    finally:
        metrics.stop()


app = st.App(
    ROOT / "dashboard" / "main.py",
    routes=routes.ROUTES,
    middleware=[Middleware(drain.Draining), *routes.MIDDLEWARE],
    lifespan=lifespan,
    on_script_error=errors.show_error_id,
)
