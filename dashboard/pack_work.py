"""The files of a pack, written one after the other in the process of `long_work_child`."""

from __future__ import annotations

import base64
import hashlib
import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from dashboard import long_work
from dashboard.pack.content import Pack, from_json, to_json

TASK = "pack_files"


@dataclass(frozen=True)
class Form:
    """A kind of file: what it is called, its media type, and the function of `dashboard.pack` that
    writes it."""

    title: str
    media_type: str
    writer: str


_OFFICE = "application/vnd.openxmlformats-officedocument"
# By the ending of the file.
FORMS: Mapping[str, Form] = {
    "pptx": Form("PowerPoint", f"{_OFFICE}.presentationml.presentation", "slides"),
    "pdf": Form("PDF", "application/pdf", "document"),
    "xlsx": Form("Excel", f"{_OFFICE}.spreadsheetml.sheet", "workbook"),
    "zip": Form("ZIP with CSV files", "application/zip", "archive"),
}


def pack_files(
    payload: Mapping[str, Any], tell: Callable[[int, int, str], None]
) -> dict[str, dict[str, str]]:
    """`name` and `base64` of each file of a pack, by its ending. The payload has the `pack` as
    `to_json` wrote it: released values and words, all that reaches this process."""
    pack = from_json(payload["pack"])
    files = {}
    for done, (form, about) in enumerate(FORMS.items()):
        tell(done, len(FORMS), about.title)
        body = base64.b64encode(write(pack, form)).decode()
        files[form] = {"name": file_name(pack, form), "base64": body}
    return files


def write(pack: Pack, form: str) -> bytes:
    """A pack as one kind of file, by its ending; `KeyError` for another."""
    # Each takes its libraries with it: none is needed before somebody asks for the file.
    name = FORMS[form].writer
    made: bytes = getattr(importlib.import_module(f"dashboard.pack.{name}"), name)(pack)
    return made


def file_name(pack: Pack, form: str) -> str:
    """'social-prescribing-QKS-2026-06-30.pptx', with the locality and the network where one is
    chosen."""
    parts = (pack.config.get(name, "") for name in ("icb", "locality", "pcn", "as_at"))
    plain = (
        "".join(c for c in part if c.isascii() and (c.isalnum() or c == "-")) for part in parts
    )
    return f"social-prescribing-{'-'.join(filter(None, plain))}.{form}"


def key_of(pack: Pack, whose: str) -> str:
    """The name of a pack's files: of what is in it, and of whose it is (`Reader.mark`)."""
    return _bound(hashlib.sha256(to_json(pack).encode()).hexdigest(), whose)


def _bound(content: str, whose: str) -> str:
    return f"{content}-{hashlib.sha256(f'{content} {whose}'.encode()).hexdigest()}"


def begin(pack: Pack, whose: str) -> str:
    """Write the files in a process of its own; the key by which the same reader asks for them."""
    key = key_of(pack, whose)
    long_work.start(key, TASK, {"pack": to_json(pack)})
    return key


def finished(key: str, form: str, whose: str) -> tuple[str, bytes] | None:
    """Name and content of a file that is written; `None` where there is none (any more), or it was
    made for another reader, or for what this one might see before."""
    if key != _bound(key.partition("-")[0], whose):
        return None
    found = long_work.status(key).result
    if not isinstance(found, dict) or form not in FORMS or form not in found:
        return None
    return found[form]["name"], base64.b64decode(found[form]["base64"])
