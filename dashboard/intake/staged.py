"""A checked file as messages of bytes: what the reading process sends, and what waits to be loaded.

Each message is an Arrow stream of one frame, whose schema says what it is. Arrow and JSON only:
nothing in them can run, whoever wrote them.
"""

from __future__ import annotations

import io
import json
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pandas as pd
import pyarrow as pa

from dashboard.intake.dataset import refusals
from dashboard.intake.problems import Problem, RefusedError, UnknownFileError
from queries.load import CleanLoad, Reading


class LaterError(Exception):
    """The file needs what other files of the same command tell: read it after them."""


_OPTIONS = pa.ipc.IpcWriteOptions(compression="lz4")


def encode(reading: Reading) -> Iterator[bytes]:
    """The messages of a reading: blocks of rows by table, then the end."""
    while True:
        try:
            for table, frame in next(reading).items():
                yield _message("rows", frame, table=table)
        except StopIteration as end:
            clean: CleanLoad = end.value
            break
    for table, frame in clean.rows.items():
        yield _message("rows", frame, table=table)
    refused = refusals([]) if clean.refused is None else clean.refused
    yield _message("left out", refused, rows_refused=clean.rows_refused)
    yield _message(
        "end",
        clean.parts,
        dataset=clean.dataset,
        file_name=clean.file_name,
        sha256=clean.sha256,
        rows_read=clean.rows_read,
        vintage=clean.vintage,
        notes=clean.notes,
    )


def encode_refusal(error: RefusedError) -> bytes:
    """The last message of a file that was refused."""
    said: dict[str, Any] = {"file_name": error.file_name}
    if isinstance(error, UnknownFileError):
        said["columns"] = error.columns
    return _message("refused", refusals(error.problems), **said)


def later() -> bytes:
    """The only message of a file that is to be read after others."""
    return _message("later", pd.DataFrame())


def decode(messages: Iterable[bytes]) -> Reading:
    """The reading that the messages tell of; `RefusedError` when they tell of a refusal.

    `LaterError` when the file is to be read after others; `ValueError` when they end before
    their end, because whoever wrote them was stopped.
    """
    left_out: dict[str, Any] = {"refused": refusals([]), "rows_refused": 0}
    try:
        for message in messages:
            with _no_message_of_ours():
                kind, found = _understood(message)
            if kind == "rows":
                yield found
            elif kind == "left out":
                left_out = found
            else:
                clean: CleanLoad = replace(found, **left_out)
                return clean
    finally:
        # Whoever writes them is told at once that nobody reads on, not when memory is tidied.
        if isinstance(messages, Generator):
            messages.close()
    raise ValueError("the checked file ends in the middle: check it again")


@contextmanager
def _no_message_of_ours() -> Iterator[None]:
    """Whatever is wrong with a message is one error, that says nothing of what it holds."""
    try:
        yield
    except RefusedError:
        raise
    except (
        ValueError,
        LookupError,
        TypeError,
        AttributeError,
        RecursionError,
        OSError,
        pa.ArrowException,
    ):
        raise ValueError("the checked file can't be read: check it again") from None


def _understood(message: bytes) -> tuple[str, Any]:
    kind, said, frame = _read(message)
    if kind == "refused":
        problems = problems_in(frame)
        if "columns" in said:
            raise UnknownFileError(said["file_name"], problems, said["columns"])
        raise RefusedError(said["file_name"], problems)
    if kind == "later":
        raise LaterError
    if kind == "rows":
        return kind, {said["table"]: frame}
    if kind == "left out":
        return kind, {"refused": frame, "rows_refused": said["rows_refused"]}
    return kind, CleanLoad(parts=frame, rows={}, **{**said, "notes": tuple(said["notes"])})


def problems_in(frame: pd.DataFrame) -> list[Problem]:
    """The problems of a frame of refusals."""
    plain = frame[["rule", "row", "column", "found"]].astype(object)
    rows: list[list[Any]] = plain.where(plain.notna(), None).to_numpy().tolist()
    return [Problem(*row) for row in rows]


def _message(kind: str, frame: pd.DataFrame, **said: Any) -> bytes:
    table = pa.Table.from_pandas(frame, preserve_index=False)
    said_of_it = {**(table.schema.metadata or {}), b"kind": kind, b"said": json.dumps(said)}
    file = io.BytesIO()
    with pa.ipc.new_stream(file, table.schema.with_metadata(said_of_it), options=_OPTIONS) as sink:
        sink.write_table(table)
    return file.getvalue()


def _read(message: bytes) -> tuple[str, Mapping[str, Any], pd.DataFrame]:
    with pa.ipc.open_stream(message) as stream:
        table = stream.read_all()
    # An untrusted writer may have lied about sizes and offsets.
    table.validate(full=True)
    metadata = table.schema.metadata
    return metadata[b"kind"].decode(), json.loads(metadata[b"said"]), table.to_pandas()
