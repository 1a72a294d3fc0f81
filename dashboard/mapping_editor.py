"""Telling which column of a supplier's export is which: suggested, checked by a person, saved."""

from __future__ import annotations

import re
from collections.abc import Mapping as MappingOf
from collections.abc import Sequence
from typing import Any

import streamlit as st

from dashboard import intake, show
from dashboard.access import current_user
from dashboard.data import engine
from dashboard.intake.mapping import (
    AGREED_WORDS,
    MAPPED,
    Mapping,
    fingerprint,
    suggest,
    suggest_words,
)
from queries import mappings

NOT_IN_FILE = "not in the file"
# Labels read Markdown, and a word of a file is none.
_PUNCTUATION, _ESCAPED = re.compile(r"([!-/:-@\[-`{-~])"), r"\\\1"


def edit(job_id: int, columns: Sequence[MappingOf[str, Any]]) -> Mapping | None:
    """The mapping of a file's columns once a person has confirmed it, which also saves it."""
    titles = {name: intake.dataset_named(name).title for name in MAPPED}
    dataset = st.selectbox(
        "Is it an export of one of these?",
        [None, *titles],
        format_func=lambda name: titles.get(name, "No, none of these"),
        key=f"mapped dataset {job_id}",
    )
    if dataset is None:
        return None
    by_heading = {column["heading"]: column for column in columns}
    suggested = suggest(list(by_heading), dataset)
    template = intake.dataset_named(dataset).template
    assert template is not None
    show.lines(["Check each column below against its samples. What is not named is not read."])
    chosen: dict[str, str] = {}
    words: dict[str, dict[str, str]] = {}
    for column in template.columns:
        best = suggested.get(column.name)
        options = [None, *by_heading]
        heading = st.selectbox(
            f"{column.name}{' (needed)' if column.is_required else ''}: {column.what}",
            options,
            index=options.index(best.heading) if best else 0,
            format_func=lambda name: _with_samples(by_heading, name),
            key=f"column {column.name} {dataset} {job_id}",
        )
        if heading is None:
            continue
        chosen[column.name] = heading
        agreed = AGREED_WORDS.get(dataset, {}).get(column.name)
        if agreed and (found := by_heading[heading]["words"]):
            words[column.name] = _translated(job_id, column.name, found, agreed)
    name = st.text_input("Name of this mapping", key=f"mapping name {job_id}", max_chars=60)
    missing = [c.name for c in template.columns if c.is_required and c.name not in chosen]
    if missing:
        show.lines([f"Still needed: {', '.join(missing)}"])
    ready = bool(name.strip()) and not missing
    if not st.button("Save and check the file", key=f"map {job_id}", disabled=not ready):
        return None
    mapping = Mapping(dataset, chosen, words)
    mappings.save_mapping(
        engine(), name.strip(), dataset, fingerprint(by_heading), mapping.to_json(), current_user()
    )
    return mapping


def _with_samples(by_heading: MappingOf[str, Any], heading: str | None) -> str:
    if heading is None:
        return NOT_IN_FILE
    return f"{heading}: {', '.join(by_heading[heading]['samples']) or 'empty'}"


def _translated(
    job_id: int, column: str, found: Sequence[str], agreed: Sequence[str]
) -> dict[str, str]:
    """Their words by ours, where a person says so."""
    suggested = suggest_words(found, agreed)
    translated = {}
    for word in found:
        if word in agreed:
            continue
        options = [None, *agreed]
        best = suggested.get(word)
        ours = st.selectbox(
            f"In {column}, “{_PUNCTUATION.sub(_ESCAPED, word)}” means",
            options,
            index=options.index(best) if best else 0,
            format_func=lambda option: option or "as it is",
            key=f"word {column} {word} {job_id}",
        )
        if ours is not None:
            translated[word] = ours
    return translated
