"""Column mappings: what is suggested, what is shown, and what becomes of a supplier's export."""

from __future__ import annotations

import random
import string
from collections.abc import Iterator

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.intake import read
from dashboard.intake.local_return import sent_instead
from dashboard.intake.mapping import (
    AGREED_WORDS,
    LEAST_CONFIDENCE,
    Mapping,
    Suggestion,
    apply,
    fingerprint,
    samples,
    suggest,
    suggest_words,
)
from dashboard.intake.outcomes import MEASURES, POINTS
from dashboard.intake.problems import RefusedError
from dashboard.intake.referrals import REASONS, SOURCES
from dashboard.intake.source import Sheet, Source
from dashboard.rules.ages import AGE_BANDS
from tests.intake.files import Lookups, whole
from tests.rules.test_nhs_number import VALID

EXPORT = """\
Exported from CaseBook,,,,,,
Case ID,Client Name,Referral Date,Ward,Referral Source,Reason for Referral,Postcode
C-1,Jo Exampleson,2026-01-31,E05000001,General Practitioner,Debt; Social isolation | Housing,ZZ1 1AA
,,,,,,
C-2,Al Exampleson,01/02/2026,E05000002,self referral,,ZZ9 9ZZ
"""
COLUMNS = {
    "reference": "Case ID",
    "received": "Referral Date",
    "ward_code": "Ward",
    "source": "Referral Source",
    "reasons": "Reason for Referral",
}
WORDS = {
    "source": {"General Practitioner": "GP", "Self Referral": "self"},
    "reasons": {"debt": "money", "social isolation": "loneliness", "housing": "housing"},
}
MAPPING = Mapping("referrals", COLUMNS, WORDS)


def source_of(text: str) -> Source:
    return Source.of("export.csv", text.encode())


def sheet_of(text: str) -> Sheet:
    return source_of(text).sheets[0]


def test_a_suppliers_headings_are_suggested_for():
    headings = sheet_of(EXPORT).headings
    assert {ours: found.heading for ours, found in suggest(headings, "referrals").items()} == (
        COLUMNS
    )
    assert suggest(["reference"], "referrals") == {
        "reference": Suggestion("reference", 1.0, "the same heading")
    }


@pytest.mark.parametrize(
    ("heading", "column", "confidence"),
    [
        ("RECEIVED", "received", 1.0),
        ("Date received", "received", 0.95),
        ("GP Practice Code", "practice_code", 0.95),
        ("gender", "sex", 0.92),
        ("Closure Reason", "closed_reason", 0.92),
        ("Date Referral Closed", "closed", 0.9),
        ("AcceptedByOT", "ot_accepted", 0.9),
        ("Ofered", "offered", 0.78),
    ],
)
def test_one_heading(heading: str, column: str, confidence: float):
    ((found, suggestion),) = suggest([heading], "referrals").items()
    assert (found, suggestion.heading) == (column, heading)
    assert suggestion.confidence == pytest.approx(confidence, abs=0.02)


@pytest.mark.parametrize(
    "heading", ["Notes", "Worker", "x", "Client name", "DOB", "NHS Number", "Email", ""]
)
def test_nothing_is_suggested(heading: str):
    assert suggest([heading], "referrals") == {}


def test_a_personal_heading_is_not_suggested_however_alike():
    heading = "number_of_long_term_conditions_by_email"
    assert suggest([heading], "referrals") == {}
    assert list(suggest([heading.replace("email", "type")], "referrals")) == [
        "long_term_conditions"
    ]


def test_outcome_headings():
    headings = ["Client ID", "Outcome Tool", "Stage", "Assessment Date", "Question", "Score"]
    found = suggest([*headings, "Total score", "Primary Care Network"], "outcomes")
    assert {ours: suggestion.heading for ours, suggestion in found.items()} == {
        "reference": "Client ID",
        "measure": "Outcome Tool",
        "point": "Stage",
        "date": "Assessment Date",
        "item": "Question",
        "score": "Score",
        "total": "Total score",
        "pcn_code": "Primary Care Network",
    }


def test_only_what_a_supplier_sends_is_mapped():
    with pytest.raises(ValueError, match="'workforce' is not loaded through a mapping"):
        suggest([], "workforce")


known_headings = st.sampled_from(
    ["Case ID", "id", "reference", "Date received", "Ward", "ward_code", "Postcode", "Name", "Sex"]
)


@given(
    st.lists(st.one_of(known_headings, st.text(max_size=20)), max_size=12),
    st.sampled_from(["referrals", "outcomes", "gp_contacts"]),
)
def test_no_heading_is_suggested_twice(headings: list[str], dataset: str):
    found = list(suggest(headings, dataset).values())
    used = [suggestion.heading for suggestion in found]
    assert len(used) == len(set(used))
    assert set(used) <= set(headings)
    assert all(LEAST_CONFIDENCE <= suggestion.confidence <= 1 for suggestion in found)
    assert not any(sent_instead(heading) for heading in used)


@pytest.mark.parametrize(
    ("allowed", "theirs", "ours"),
    [
        (SOURCES, "gp", "GP"),
        (SOURCES, "General Practitioner", "GP"),
        (SOURCES, "GP Practice", "GP"),
        (SOURCES, "GP (North surgery)", "GP"),
        (SOURCES, "Self referral", "self"),
        (SOURCES, "self-referral", "self"),
        (SOURCES, "A&E", "hospital"),
        (SOURCES, "Hospitl", "hospital"),
        (SOURCES, "Local Authority", "council"),
        (SOURCES, "Other professional", "other"),
        (SOURCES, "GP or hospital", None),
        (SOURCES, "friend", None),
        (POINTS, "Baseline", "start"),
        (POINTS, "Exit", "end"),
        (POINTS, "3 month follow up", "follow-up"),
        (POINTS, "Final review", None),
        (REASONS, "Low mood", "mental health"),
        (REASONS, "Social isolation", "loneliness"),
        (AGREED_WORDS["referrals"]["sex"], "F", "female"),
        (AGREED_WORDS["referrals"]["sex"], "Male", "male"),
        (tuple(MEASURES), "Short WEMWBS", "SWEMWBS"),
        (AGE_BANDS, "18 to 39", "18-39"),
        (AGE_BANDS, "65 - 69", "65-79"),
        (AGE_BANDS, "under 18", "0-17"),
        (AGE_BANDS, "<18", "0-17"),
        (AGE_BANDS, "17 and under", "0-17"),
        (AGE_BANDS, "under 19", None),
        (AGE_BANDS, "18 and under", None),
        (AGE_BANDS, "80 and over", "80+"),
        (AGE_BANDS, "75+", None),
        (AGE_BANDS, "17-18", None),
        (AGE_BANDS, "unknown", None),
    ],
)
def test_words(allowed: tuple[str, ...], theirs: str, ours: str | None):
    assert suggest_words([theirs], allowed) == {theirs: ours}


@pytest.mark.parametrize(
    "allowed", [words for columns in AGREED_WORDS.values() for words in columns.values()]
)
def test_our_own_words_are_themselves(allowed: tuple[str, ...]):
    assert suggest_words([*allowed, " "], allowed) == {word: word for word in allowed}


@given(st.lists(st.text(max_size=30)), st.sampled_from([SOURCES, AGE_BANDS, POINTS]))
def test_a_word_is_ours_or_none(values: list[str], allowed: tuple[str, ...]):
    found = suggest_words(values, allowed)
    assert set(found) == {value for value in values if value.strip()}
    assert set(found.values()) <= {*allowed, None}


def column(heading: str, *values: str) -> Sheet:
    return sheet_of("\n".join([f'"{heading}","x"', *(f'"{value}","x"' for value in values)]))


def test_samples_are_the_first_different_values():
    sheet = column("Source", "GP", "GP", "", "self", "VCSE", "other")
    assert samples(sheet, "Source") == ["GP", "self", "VCSE"]
    assert samples(sheet, "SOURCE", most=1) == ["GP"]
    assert samples(sheet, "elsewhere") == []


@pytest.mark.parametrize(
    ("heading", "value"),
    [
        ("reference", "r1"),
        ("Case ID", "1"),
        ("Case reference", "C-1"),
        ("Our ref", "C-1"),
        ("Date of birth", "1950-01-31"),
        ("Client", "Jo Exampleson"),
        ("Referrer", "Jo Exampleson"),
        ("Full name", "Jo Exampleson"),
        ("Where", "ZZ1 1AA"),
        ("Where", "1 High St, zz11aa"),
        ("Source", "jo@example.org"),
        ("Source", VALID[0]),
        ("Source", f"NHS {VALID[0][:3]} {VALID[0][3:6]} {VALID[0][6:]}"),
        ("Source", "07700 900 123"),
        ("Source", "Mrs Exampleson"),
        ("Reason", "x" * 101),
    ],
)
def test_samples_show_nobody(heading: str, value: str):
    assert samples(column(heading, value), heading) == [f"hidden ({len(value)} characters)"]


@pytest.mark.parametrize(
    ("heading", "value"),
    [
        ("Referral date", "2026-01-31T00:00:00"),
        ("Referral date", "31/01/2026"),
        ("First contact", "20260131"),
        ("Ward", "E05000001"),
        ("Practice", "G82001"),
        ("Referrer type", "General Practitioner"),
        ("Number of conditions", "2"),
    ],
)
def test_samples_show_what_there_is_to_check(heading: str, value: str):
    assert samples(column(heading, value), heading) == [value]


def test_an_export_becomes_a_return():
    sheet = apply(source_of(EXPORT), MAPPING)
    assert (sheet.headings, sheet.heading_row) == (list(COLUMNS), 2)
    # Rows keep their numbers in the file; the blank one between them is left out.
    assert sheet.frame.index.tolist() == [3, 5]
    assert sheet.frame.values.tolist() == [
        ["C-1", "2026-01-31", "E05000001", "GP", "money; loneliness | housing"],
        ["C-2", "01/02/2026", "E05000002", "self", ""],
    ]


def test_rows_keep_their_numbers_over_blocks():
    def blocks() -> Iterator[pd.DataFrame]:
        for values in (["a", "", "b"], ["", "c"], [""], ["d"]):
            yield pd.DataFrame({"s": values, "t": values}, dtype="str")

    sheet = Sheet("", ["s", "t"], 1, blocks)
    mapped = apply(sheet, Mapping("referrals", {"source": "s"}, {"source": {"d": "GP"}})).frame
    assert mapped["source"].to_dict() == {2: "a", 4: "b", 6: "c", 8: "GP"}


def test_an_export_is_read_through_its_mapping():
    load = whole(read(source_of(EXPORT), Lookups(), mapping=MAPPING))
    assert load.dataset == "referrals"
    assert load.rows["referral"]["source"].tolist() == ["GP", "self"]
    assert "columns not read" not in str(load.notes)


def test_nhs_numbers_refuse_an_export_also_where_they_are_not_mapped():
    text = EXPORT.replace("ZZ1 1AA", VALID[0]).replace("Postcode", "Notes")
    with pytest.raises(RefusedError, match="NHS number") as refusal:
        read(source_of(text), Lookups(), mapping=MAPPING)
    assert VALID[0] not in str(refusal.value)


def test_a_bad_value_is_told_under_our_heading_and_its_row():
    with pytest.raises(RefusedError) as refusal:
        whole(read(source_of(EXPORT.replace("01/02/2026", "soon")), Lookups(), mapping=MAPPING))
    places = [(problem.row, problem.column) for problem in refusal.value.problems]
    assert places == [(5, "received")]


def test_other_words_are_left_for_the_reader_to_refuse():
    sheet = apply(sheet_of("s\nGP\nfriend\n"), Mapping("referrals", {"source": "s"}, WORDS))
    assert sheet.frame["source"].tolist() == ["GP", "friend"]


def test_a_word_as_it_is_written_goes_before_one_in_another_case():
    words = {"source": {"H": "hospital", "h": "self"}}
    sheet = apply(sheet_of("s\nh\nH\n"), Mapping("referrals", {"source": "s"}, words))
    assert sheet.frame["source"].tolist() == ["self", "hospital"]


def test_headings_are_found_in_any_case():
    text = EXPORT.replace("Case ID", "CASE id")
    assert apply(sheet_of(text), MAPPING).frame["reference"].tolist() == ["C-1", "C-2"]


@pytest.mark.parametrize("other", ["Case number", "Ward"])
def test_a_missing_or_doubled_heading_is_refused(other: str):
    with pytest.raises(RefusedError) as refusal:
        apply(source_of(EXPORT.replace("Case ID", other)), MAPPING)
    missing = {"Case number": ["Case ID"], "Ward": ["Case ID", "Ward"]}[other]
    assert [problem.column for problem in refusal.value.problems] == missing


def test_a_file_without_a_table_is_refused():
    with pytest.raises(RefusedError, match="expected a table"):
        apply(source_of("{}"), MAPPING)


cells = st.text(string.ascii_letters + string.digits + " ;|-", max_size=8)


@given(st.lists(st.tuples(cells, cells), max_size=8), st.booleans())
def test_the_identity_changes_nothing(rows: list[tuple[str, str]], with_words: bool):
    text = "\n".join(['"a","b"', '"x","y"', *(f'"{one}","{two}"' for one, two in rows)])
    sheet = sheet_of(text)
    words = (
        {name: {w: w for row in [*rows, ("x", "y")] for w in row} for name in "ab"}
        if with_words
        else {}
    )
    same = apply(sheet, Mapping("referrals", {"a": "a", "b": "b"}, words))
    pd.testing.assert_frame_equal(same.frame, sheet.frame)
    assert (same.headings, same.heading_row) == (sheet.headings, sheet.heading_row)


texts = st.dictionaries(st.text(), st.text())


@given(st.text(), texts, st.dictionaries(st.text(), texts))
def test_a_mapping_is_kept_whole(dataset: str, columns: dict, words: dict):
    mapping = Mapping(dataset, columns, words)
    assert Mapping.from_json(mapping.to_json()) == mapping


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("", "not JSON"),
        ("{", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("[]", "expected dataset"),
        ('{"dataset": "x"}', "expected dataset"),
        ('{"dataset": 1, "columns": {}, "words": {}}', "dataset is not"),
        ('{"dataset": "x", "columns": [], "words": {}}', "columns are not"),
        ('{"dataset": "x", "columns": {"a": 1}, "words": {}}', "columns are not"),
        ('{"dataset": "x", "columns": {}, "words": []}', "words are not"),
        ('{"dataset": "x", "columns": {}, "words": {"a": "b"}}', "words are not"),
        ('{"dataset": "x", "columns": {}, "words": {"a": {"b": null}}}', "words are not"),
    ],
)
def test_what_is_no_mapping(text: str, rule: str):
    with pytest.raises(ValueError, match=f"not a column mapping: .*{rule}"):
        Mapping.from_json(text)


ascii_headings = st.lists(st.text(string.printable, max_size=10), max_size=8)


@given(ascii_headings, st.randoms())
def test_a_fingerprint_knows_no_order_case_or_repeats(headings: list[str], chance: random.Random):
    shuffled = [chance.choice([str.upper, str.lower])(heading) for heading in headings * 2]
    chance.shuffle(shuffled)
    assert fingerprint(shuffled) == fingerprint(headings)


def test_blank_headings_do_not_count():
    assert fingerprint(["a", "", " "]) == fingerprint(["A"])


@pytest.mark.parametrize("other", [["a"], ["a", "b", "c"], ["a,b"], ["a b"], []])
def test_other_headings_have_another_fingerprint(other: list[str]):
    assert fingerprint(other) != fingerprint(["a", "b"])
