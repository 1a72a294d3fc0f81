"""The command line: `python -m dashboard`."""

from streamlit import logger

# Outside a page Streamlit warns of every cache that it keeps in memory only: no news to anybody.
logger.set_log_level("error")

from dashboard.commands import app  # noqa: E402

if __name__ == "__main__":
    app(prog_name="python -m dashboard")
