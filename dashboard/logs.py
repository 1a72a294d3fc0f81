"""What the log says: a line for each event, with its time, level, request and user, and never data."""

from __future__ import annotations

import logging
import re
import sys
import threading
import traceback
from collections.abc import MutableMapping
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any


def _import_structlog() -> None:
    # It would import rich, for coloured tracebacks that are never printed here: that is most of
    # its time, and the server is there sooner without.
    rich = sys.modules.get("rich")
    sys.modules["rich"] = None  # type: ignore[assignment]
    try:
        import structlog  # noqa: F401
    finally:
        del sys.modules["rich"]
        if rich is not None:
            sys.modules["rich"] = rich


_import_structlog()
import structlog  # noqa: E402
from structlog.contextvars import (  # noqa: E402
    bind_contextvars,
    clear_contextvars,
    merge_contextvars,
)
from structlog.stdlib import ProcessorFormatter  # noqa: E402

Event = MutableMapping[str, Any]

REQUEST_ID_HEADER = "X-Request-ID"
LEFT_OUT = "words that may hold data are left out"
# An id that says nothing of the person: no address, no name with a space.
_OPAQUE = re.compile(r"[A-Za-z0-9_-]{1,64}")
# Errors raised because of another: enough to see where it began.
MOST_CAUSES = 5

structlog.configure(
    processors=[ProcessorFormatter.wrap_for_formatter],
    logger_factory=structlog.stdlib.LoggerFactory(),
    wrapper_class=structlog.stdlib.BoundLogger,
)
# `log.info("what happened", field=value)`; a field is a number, a word of ours, or an id.
log: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger("dashboard")


def configure() -> None:
    """Let everything the server says go through one formatter, to standard error.

    JSON, one object a line, from `info` on; on a terminal plain lines, from `warning` on. May be
    called again: what others have set up since is put right.
    """
    for_a_person = sys.stderr.isatty()
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter(for_a_person))
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING if for_a_person else logging.INFO)
    # A line that cannot be written would be printed as it is, with its values.
    logging.raiseExceptions = False
    logging.captureWarnings(True)
    sys.excepthook = _uncaught
    threading.excepthook = _uncaught_in_thread
    _take_over_from_streamlit()
    for name in list(root.manager.loggerDict):
        _take_over(logging.getLogger(name))
    # Every request, which ours says with what may be said; and every part of the upgrader.
    for name in ("uvicorn.access", "alembic.runtime.plugins"):
        logging.getLogger(name).setLevel(logging.WARNING)


def formatter(for_a_person: bool) -> logging.Formatter:
    """Makes a line of whatever is said, by us or by another library: plain for a person, else JSON."""
    return ProcessorFormatter(
        foreign_pre_chain=[_without_data],
        use_get_message=False,
        pass_foreign_args=True,
        processors=[
            merge_contextvars,
            _with_place_in_time,
            ProcessorFormatter.remove_processors_meta,
            structlog.dev.ConsoleRenderer(colors=False)
            if for_a_person
            else structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
    )


def _take_over(logger: logging.Logger) -> None:
    logger.handlers = []
    logger.propagate = True
    # Each had a level of its own; what is written is decided in one place.
    if logger.level < logging.WARNING:
        logger.setLevel(logging.NOTSET)


def _take_over_from_streamlit() -> None:
    if "streamlit" not in sys.modules:
        return
    # Each of its modules sets up a handler of its own when it is first imported, which may be late.
    from streamlit import logger

    logger.setup_formatter = _take_over


def new_request(request_id: str) -> None:
    """From here on every line of this request, or connection, has its id."""
    clear_contextvars()
    bind_contextvars(request=request_id)


def bind(*, user: str) -> None:
    """From here on every line of this request, or of this run of a page, has the user's opaque id.

    `ValueError` for what could be a name or an address.
    """
    if not _OPAQUE.fullmatch(user):
        raise ValueError(
            "expected an id of a user of letters, digits, - and _, found something else"
        )
    bind_contextvars(user=user)


def told(error: BaseException) -> dict[str, Any]:
    """What may be said of an error: its type, the types behind it, and its place in the code.

    Not its message, which may hold what a file said, nor the words of the code.
    """
    found: dict[str, Any] = {
        "type": type(error).__name__,
        "place": [
            f"{'/'.join(Path(frame.filename).parts[-2:])}:{frame.lineno} {frame.name}"
            for frame in traceback.extract_tb(error.__traceback__)
        ],
    }
    causes: list[str] = []
    cause = error.__cause__ or error.__context__
    while cause is not None and len(causes) < MOST_CAUSES:
        causes.append(type(cause).__name__)
        cause = cause.__cause__ or cause.__context__
    return found | ({"because_of": causes} if causes else {})


def _without_data(_logger: object, _method: str, event: Event) -> Event:
    """What another library says, without the values it says it of."""
    record: logging.LogRecord = event["_record"]
    args = event.pop("positional_args", ())
    event.pop("stack_info", None)
    error = event.pop("exc_info", None)
    if record.name.split(".")[0] == "dashboard":
        event["event"] = event["event"] % args if args else event["event"]
    else:
        event["logger"] = record.name
        event["line"] = f"{record.module}:{record.lineno}"
        if record.msg not in _constants_of(record):
            event["event"] = LEFT_OUT
    if error and error[1] is not None:
        event.update(told(error[1]))
    return event


def _constants_of(record: logging.LogRecord) -> tuple[object, ...]:
    """The constants of the code that said it: a message that was put together is none of them."""
    frame = sys._getframe()
    while frame is not None:
        if (frame.f_code.co_filename, frame.f_lineno) == (record.pathname, record.lineno):
            return frame.f_code.co_consts
        frame = frame.f_back  # type: ignore[assignment]
    return ()


def _with_place_in_time(_logger: object, _method: str, event: Event) -> Event:
    record: logging.LogRecord = event["_record"]
    request = event.get("request") or _request_of_the_page()
    return {
        "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
        "level": record.levelname.lower(),
        **({"request": request} if request else {}),
        **event,
    }


def _request_of_the_page() -> str | None:
    """The id of the connection for which this thread runs a page."""
    if "streamlit" not in sys.modules:
        return None
    from streamlit import context
    from streamlit.runtime.scriptrunner_utils.script_run_context import get_script_run_ctx

    if get_script_run_ctx(suppress_warning=True) is None:
        return None
    # Only ours: the one a browser sent was taken off.
    return context.headers.get(REQUEST_ID_HEADER)


def _uncaught(
    kind: type[BaseException], error: BaseException, _traceback: TracebackType | None
) -> None:
    if issubclass(kind, KeyboardInterrupt):
        return
    log.critical("the process ends by an error", **told(error))


def _uncaught_in_thread(said: threading.ExceptHookArgs) -> None:
    if said.exc_value is not None and not issubclass(said.exc_type, SystemExit):
        log.error("a thread ended by an error", **told(said.exc_value))
