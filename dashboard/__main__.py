"""The command line: `python -m dashboard`."""

from streamlit import logger

# Outside a page Streamlit warns of every cache that it keeps in memory only: no news to anybody.
logger.set_log_level("error")

import sys  # noqa: E402

from dashboard.commands import app  # noqa: E402
from dashboard.errors import NotReadyError, fault_of_database, report_error  # noqa: E402

if __name__ == "__main__":
    try:
        app(prog_name="python -m dashboard")
    except NotReadyError as error:
        # Its message is all there is to say.
        sys.exit(str(error))
    except Exception as error:
        # The words of a driver may hold data, or an address with a password.
        if fault := fault_of_database(error):
            sys.exit(f"{fault} ({report_error(error)})")
        raise
