"""The local returns: what each reader makes of a good one, and that no person gets in."""

from __future__ import annotations

from datetime import date

import pandas as pd
import pytest

from dashboard.intake import source
from dashboard.intake.problems import RefusedError
from dashboard.intake.services import NEED_THEMES
from tests.intake import files
from tests.intake.files import Lookups, read, sums
from tests.rules.test_nhs_number import INVALID, VALID


def test_scheme_areas():
    load = read(files.SCHEME_AREAS)
    rows = load.rows["scheme_area"]
    assert rows["served_code"].fillna("").tolist() == ["E05000001", "E05000003", ""]
    assert rows["delivery_model"].fillna("").tolist() == ["consortium", "consortium", ""]
    assert load.parts.values.tolist()[0] == ["E07000001", date(2025, 4, 1), None]
    assert load.parts["part_key"].tolist() == ["E07000001", "QZZ"]
    assert load.notes == ("schemes: 2; areas served: 2; rows that say nothing is served: 1",)


@pytest.mark.parametrize(
    "heading",
    [
        "scheme,delivery organisation,model,area it speaks for,served area,valid_from,valid_until",
        "Scheme,Organisation,Model,speaks_for_code,serves_code,From,Until",
        "scheme,organisation,model,Speaks For,served_code,valid from,valid until",
    ],
)
def test_scheme_areas_under_other_headings(heading: str):
    text = heading + "\n" + files.SCHEME_AREAS.split("\n", 1)[1]
    expected = read(files.SCHEME_AREAS)
    pd.testing.assert_frame_equal(read(text).rows["scheme_area"], expected.rows["scheme_area"])
    assert read(text).notes == expected.notes


def test_services():
    load = read(files.SERVICES)
    assert load.rows["service_area"].values.tolist() == [
        ["Hill charity", "s1", "E05000001"],
        ["Hill charity", "s1", "E05000002"],
        ["Hill charity", "s1", "E07000002"],
    ]
    assert load.rows["service_theme"]["theme"].tolist() == [
        "nature",
        "loneliness",
        "money and debt",
    ]
    rows = load.rows["service"].set_index("service_id")
    assert rows["is_online"].tolist() == [False, True, False]
    assert rows["has_safeguarding"].tolist() == [True, pd.NA, False]
    assert rows["cost_per_place"].tolist()[0] == 12.5
    # A dash says nothing; nought says none.
    assert rows["people_waiting"].tolist() == [0, pd.NA, pd.NA]
    assert load.notes == (
        "3 services of 2 providers",
        "1 not placed: neither an area served nor online",
        "1 with more places filled than offered",
    )
    assert load.parts["part_key"].tolist() == ["Hill charity", "Dale advice"]


def test_only_what_is_neither_online_nor_anywhere_is_not_placed():
    online = "s4,Phone advice,Dale advice,,yes,,,,,,,,,,,,,\n"
    assert "1 not placed: neither an area served nor online" in read(files.SERVICES + online).notes


def test_every_theme_is_taken():
    text = files.SERVICES.replace("Nature; loneliness", " ;".join(NEED_THEMES))
    themes = read(text).rows["service_theme"]
    assert themes[themes["service_id"] == "s1"]["theme"].tolist() == list(NEED_THEMES)


def test_columns_nobody_reads_are_said():
    text = files.SERVICES.replace("closes_on", "closing_day")
    assert read(text).notes[-1] == "columns not read: closing_day"


def test_referrals():
    load = read(files.REFERRALS)
    assert load.parts.values.tolist() == [
        ["2026-01 U", date(2026, 1, 1), date(2026, 1, 31)],
        ["2026-01 U00001", date(2026, 1, 1), date(2026, 1, 31)],
        ["2026-02 U00001", date(2026, 2, 1), date(2026, 2, 28)],
    ]
    january, february = date(2026, 1, 1), date(2026, 2, 1)
    key = ["part_key", "ward_code", "pcn_code", "month"]
    assert sums(load, "referral_fact", key, "referrals") == {
        ("2026-01 U00001", "E05000001", "U00001", january): 2,
        ("2026-01 U", "E05000002", "U", january): 1,
        ("2026-02 U00001", "E05000002", "U00001", february): 1,
    }
    ages = load.rows["referral_age_fact"].fillna("")
    assert sorted(zip(ages["month"], ages["age_band"], ages["referrals"], strict=True)) == [
        (january, "", 1),
        (january, "0-17", 1),
        (january, "18-39", 1),
        (february, "80+", 1),
    ]
    assert load.rows["referral"]["source"].tolist() == ["GP", "self", "VCSE", "other"]
    assert load.notes == (
        "4 referrals, 0 without a ward",
        "4 of 4 LSOAs matched to wards",
        "4 of 4 practices matched to PCNs",
    )


BLOCKS = """\
reference,received,ward_code,pcn_code,age_band,reasons,declined,closed,closed_reason
a,2026-01-05,E05000001,U00001,18-39,loneliness; housing,,2026-02-01,No suitable service
b,2026-01-06,,U00001,18-39,,,,
c,2026-02-07,E05000002,U00002,,housing,2026-02-09,,
d,2026-01-08,E05000001,U00001,18-39,housing,,2026-01-31,Completed
e,2026-01-09,E05000001,U00001,,,,2026-02-11,
"""


@pytest.mark.parametrize("rows_a_block", [1, 2, 100])
def test_the_facts_of_referrals_by_hand_in_however_many_blocks(
    rows_a_block: int, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(source, "BYTES_A_BLOCK", 100 * rows_a_block)
    monkeypatch.setattr(source, "ROWS_A_BLOCK", rows_a_block)
    blocks = list(source.Source.of("file.csv", BLOCKS.encode()).sheets[0].blocks())
    assert (len(blocks) > 1) == (rows_a_block < 100)
    load = read(BLOCKS)
    hill, dale, january, february = "E05000001", "E05000002", date(2026, 1, 1), date(2026, 2, 1)
    one, other = "2026-01 U00001", "2026-02 U00002"
    assert load.parts["part_key"].tolist() == [one, other]
    assert sums(load, "referral_fact", ["part_key", "ward_code", "month"], "referrals") == {
        (one, hill, january): 3,
        (one, "", january): 1,
        (other, dale, february): 1,
    }
    assert sums(load, "referral_age_fact", ["part_key", "ward_code", "age_band"], "referrals") == {
        (one, hill, "18-39"): 2,
        (one, hill, ""): 1,
        (one, "", "18-39"): 1,
        (other, dale, ""): 1,
    }
    assert sums(
        load, "referral_episode_fact", ["pcn_code", "month", "ended_month"], "referrals"
    ) == {
        ("U00001", january, january): 1,
        ("U00001", january, february): 2,
        ("U00001", january, ""): 1,
        ("U00002", february, february): 1,
    }
    need = ["ward_code", "theme"]
    assert sums(load, "referral_need_fact", need, "referrals") == {
        (hill, "loneliness"): 1,
        (hill, "housing"): 2,
        (hill, ""): 1,
        ("", ""): 1,
        (dale, "housing"): 1,
    }
    # Of the one that ended for want of a service, each need.
    assert sums(load, "referral_need_fact", need, "without_service") == {
        (hill, "loneliness"): 1,
        (hill, "housing"): 1,
        (hill, ""): 0,
        ("", ""): 0,
        (dale, "housing"): 0,
    }


def test_every_referral_is_counted_once_whatever_is_missing():
    text = "reference,received,ward_code\na,2026-01-01,\nb,2026-01-02,E05000001\n"
    load = read(text)
    assert load.parts["part_key"].tolist() == ["2026-01 no PCN"]
    for facts in ("referral_fact", "referral_age_fact"):
        assert load.rows[facts]["referrals"].sum() == 2
    assert load.notes[0] == "2 referrals, 1 without a ward"


def test_sex_and_ethnicity_are_kept_under_one_name_each():
    people = [("F", "A"), ("woman", "White Irish"), (" MALE", "99"), ("x", "")]
    rows = [f"r{n},2026-01-01,E05000001,{sex},{group}" for n, (sex, group) in enumerate(people)]
    load = read("\n".join(["reference,received,ward_code,gender,ethnicity", *rows]) + "\n")
    # "gender" is no column of ours: a mapping says that it is sex.
    assert load.notes[-1] == "columns not read: gender"
    load = read("\n".join(["reference,received,ward_code,sex,ethnicity", *rows]) + "\n")
    kept = load.rows["referral"]
    assert kept["sex"].tolist() == ["female", "female", "male", "not stated"]
    assert kept["ethnicity_group"].fillna("").tolist() == ["White", "White", "not stated", ""]


def test_the_reference_is_kept_as_a_hash_only():
    load = read(files.REFERRALS)
    assert "reference" not in load.rows["referral"]
    assert load.rows["referral"]["reference_hash"].str.fullmatch("[0-9a-f]{64}").all()


def test_a_ward_that_is_sent_goes_before_the_lookup():
    text = "id,received_on,ward_code,lsoa_code\na,2026-01-01,E05000009,E01000001\n"
    load = read(text)
    assert load.rows["referral"]["ward_code"].tolist() == ["E05000009"]
    assert load.notes[1] == "0 of 1 ward codes found in the lookup"


def lsoas(known: int, unknown: int) -> str:
    codes = ["E01000001"] * known + ["E01999999"] * unknown
    rows = "".join(f"r{i},2026-01-01,{code}\n" for i, code in enumerate(codes))
    return "reference,received,lsoa_code\n" + rows


def test_four_in_five_must_match():
    load = read(lsoas(4, 1))
    assert "4 of 5 LSOAs matched to wards" in load.notes
    assert load.rows["referral"]["ward_code"].isna().sum() == 1
    with pytest.raises(RefusedError, match=r"only 3 of 4 LSOAs matched.*E01999999"):
        read(lsoas(3, 1))


def test_nothing_matches_before_the_lookup_is_loaded():
    class Nothing(Lookups):
        def ward_of_lsoa(self) -> pd.Series:
            return pd.Series(dtype="str")

    with pytest.raises(RefusedError, match="load the lookup of the same vintage first"):
        read(lsoas(1, 0), Nothing())


@pytest.mark.parametrize(
    "heading",
    [
        "postcode",
        "Post Code",
        "PatientPostcode",
        "home_address",
        "DOB",
        "date of birth",
        "DateOfBirth",
        "birth_date",
        "name",
        "First Name",
        "surname",
        "forename",
        "patient_name",
        "client_name",
        "email",
        "E-mail address",
        "telephone",
        "phone_number",
        "mobile",
        "NHS number",
        "NHSNumber",
        "nhs_no",
        "NHS",
        "worker names",
    ],
)
def test_a_personal_column_refuses_the_file(heading: str):
    text = f"reference,received,ward_code,{heading}\na,2026-01-01,E05000001,Exampleson\n"
    with pytest.raises(RefusedError) as refusal:
        read(text)
    (problem,) = refusal.value.problems
    assert problem.column == heading
    assert "take the column out" in problem.rule
    assert "Exampleson" not in str(refusal.value)


@pytest.mark.parametrize("heading", ["ward_name", "Practice Name", "service_name", "nhs_region"])
def test_names_of_places_are_no_personal_columns(heading: str):
    assert read(f"reference,received,ward_code,{heading}\na,2026-01-01,E05000001,x\n").rows_read


RETURNS = {
    "referrals": ("reference,received,ward_code", "{0},2026-01-01,E05000001", "reference"),
    "an unread column": ("reference,received,ward_code,x", "r{1},2026-01-01,,{0}", "x"),
    "services": ("service_id,service_name,provider,area_served", "s{1},{0},p,", "service_name"),
    "scheme areas": ("scheme,speaks_for,serves", "{0},QZZ,", "scheme"),
}


@pytest.mark.parametrize("kind", RETURNS)
def test_a_column_of_nhs_numbers_refuses_the_file_and_shows_none(kind: str):
    heading, row, column = RETURNS[kind]

    def of(numbers: list[str]) -> str:
        rows = [row.format(number, i) for i, number in enumerate(numbers)]
        return "\n".join([heading, *rows]) + "\n"

    with pytest.raises(RefusedError) as refusal:
        read(of(VALID))
    (problem,) = refusal.value.problems
    assert (problem.column, problem.value) == (column, None)
    assert "holds NHS numbers" in problem.rule
    assert not any(number[3:] in str(refusal.value) for number in VALID)
    assert read(of(INVALID)).rows_read == len(INVALID)
