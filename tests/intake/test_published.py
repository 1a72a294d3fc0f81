"""The published files: what each reader makes of a good one."""

from __future__ import annotations

import csv
import io
import json
from datetime import date

import openpyxl
import pytest
import shapely
from pyproj import Transformer

from dashboard.intake import recognise
from dashboard.intake.problems import RefusedError
from dashboard.intake.source import Source
from tests.intake import files
from tests.intake.files import boundaries, read, sums, ward_feature


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (files.WORKFORCE, "workforce"),
        (files.LSOA_WARD, "lsoa_ward"),
        (files.LSOA_ICB, "lsoa_icb"),
        (files.POPULATION, "ward_population"),
        (files.DEPRIVATION, "deprivation"),
        (files.PRACTICES, "practices"),
        (files.LIST_SIZES, "list_sizes"),
        (files.REGISTERED, "registered_patients"),
        (files.SCHEME_AREAS, "scheme_areas"),
        (files.SERVICES, "services"),
        (files.REFERRALS, "referrals"),
        (files.BOUNDARIES, "ward_boundaries"),
    ],
)
def test_recognised_by_content(text: str, name: str):
    assert recognise(Source.of("anything.txt", text.encode())).name == name


@pytest.mark.parametrize("text", ["a,b\n1,2\n", "[1, 2]", '{"type": "FeatureCollection"}'])
def test_unknown_files_are_refused(text: str):
    with pytest.raises(RefusedError, match="none of the files known here"):
        read(text)


def test_an_unknown_file_about_persons_shows_none_of_it():
    with pytest.raises(RefusedError) as refusal:
        read("Ann Example,9990000018,01/02/1950\nBea Example,9990000026,01/02/1951\n")
    assert "Example" not in str(refusal.value)
    assert "999" not in str(refusal.value)


# --- workforce ---------------------------------------------------------------------------


def test_workforce_counts_the_exact_role_only():
    workers = read(files.WORKFORCE).rows["link_worker"]
    assert workers["fte"].sum() == 0.5 + 0.5 + 2.25
    assert len(workers) == 3


def test_workforce_contracted_rows_have_fte_and_no_person():
    workers = read(files.WORKFORCE).rows["link_worker"]
    contracted = workers[workers["is_contracted"]]
    assert contracted["fte"].tolist() == [2.25]
    assert contracted["person_id"].isna().all()


def test_workforce_counts_a_person_in_two_pcns_once():
    assert read(files.WORKFORCE).rows["link_worker"]["person_id"].nunique() == 1


def test_workforce_pcn_without_rows_has_not_returned():
    load = read(files.WORKFORCE)
    assert sums(load, "workforce_return", ["pcn_code"], "staff_rows") == {
        "U00001": 3,
        "U00002": 1,
        "U00003": 1,
    }


def test_workforce_part_is_census_and_board():
    part = read(files.WORKFORCE).parts.iloc[0].to_dict()
    end = date(2026, 6, 30)
    assert part == {"part_key": "2026-06 QZZ", "period_start": end, "period_end": end}


def test_workforce_codes_like_numbers_stay_text():
    areas = read(files.WORKFORCE).rows["area"]
    assert areas[areas["kind"] == "sub_icb"]["area_code"].tolist() == ["5E1"]


# --- boundaries --------------------------------------------------------------------------


def test_boundaries():
    load = read(files.BOUNDARIES)
    areas = load.rows["area"][["part_key", "kind", "area_code", "parent_code", "vintage"]]
    assert areas.fillna("").values.tolist() == [
        ["2025 E07000001", "ward", "E05000001", "E07000001", 2025],
        ["2025 E07000002", "ward", "E05000002", "E07000002", 2025],
        ["2025 E07000001", "lad", "E07000001", "", 2025],
        ["2025 E07000002", "lad", "E07000002", "", 2025],
    ]
    shape = shapely.from_wkb(load.rows["boundary"]["geometry"].iloc[0])
    assert shape.bounds == pytest.approx((0.50, 51.0, 0.51, 51.01))


def test_boundaries_of_2013_have_no_district():
    load = read(boundaries(ward_feature("E05000001", "Hill", None, 0.5, "13")))
    assert load.parts["part_key"].tolist() == ["2013"]
    assert load.rows["area"]["parent_code"].isna().all()


def test_boundaries_in_lower_case():
    text = files.BOUNDARIES.replace("WD25", "wd23").replace("LAD25", "lad23")
    load = read(text.replace('23CD"', '23cd"').replace('23NM"', '23nm"'))
    assert load.vintage == "2023 wards"
    assert load.rows["area"]["area_name"].tolist()[:2] == ["Hill", "Dale"]


def test_boundaries_in_national_grid():
    features = json.loads(files.BOUNDARIES)["features"]
    to_grid = Transformer.from_crs(4326, 27700, always_xy=True)
    for feature in features:
        ring = feature["geometry"]["coordinates"][0]
        feature["geometry"]["coordinates"] = [[list(to_grid.transform(*p)) for p in ring]]
    shape = shapely.from_wkb(read(boundaries(*features)).rows["boundary"]["geometry"].iloc[0])
    assert shape.bounds == pytest.approx((0.50, 51.0, 0.51, 51.01), abs=1e-4)


def test_boundaries_of_the_whole_kingdom_leave_scotland_out():
    scottish = ward_feature("S13000001", "Glen", "S12000001", -4.0)
    load = read(boundaries(ward_feature("E05000001", "Hill", "E07000001", 0.5), scottish))
    assert load.rows["boundary"]["ward_code"].tolist() == ["E05000001"]
    assert load.notes[1] == "1 wards outside England and Wales were left out"


# --- lookups -----------------------------------------------------------------------------


def test_lsoa_ward():
    load = read(b"\xef\xbb\xbf" + files.LSOA_WARD.encode())
    assert load.parts["part_key"].tolist() == ["2021 2024 E07000001", "2021 2024 E07000002"]
    assert load.rows["lsoa_ward"].iloc[2].tolist() == [
        "2021 2024 E07000002",
        "E01000003",
        "E05000002",
        "E07000002",
    ]
    # Only boundaries say which wards are in use.
    assert set(load.rows["area"]["kind"]) == {"lsoa", "lad"}


def test_lsoa_icb_takes_codes_of_three_and_of_five():
    load = read(files.LSOA_ICB)
    assert load.rows["lsoa_icb"]["icb_code"].tolist() == ["QZZ", "QZZ", "S9B9J"]
    assert load.rows["lsoa_icb"]["sub_icb_code"].tolist() == ["5E1"] * 3
    assert load.parts["part_key"].tolist() == ["2021 2024 QZZ", "2021 2024 S9B9J"]


def test_lsoa_icb_without_the_short_sub_icb_code():
    text = files.LSOA_ICB.replace("SICBL24CDH", "OTHER")
    assert read(text).rows["lsoa_icb"]["sub_icb_code"].unique().tolist() == ["E38000001"]


# --- population and deprivation ------------------------------------------------------------


def test_population_of_all_ages():
    load = read(files.POPULATION.replace("Hill", "Hîll").encode("cp1252"))
    assert sums(load, "ward_population", ["ward_code", "age_band"], "people") == {
        ("E05000001", "all ages"): 7657,
        ("E05000002", "all ages"): 312,
    }


def test_population_in_bands():
    people = sums(read(files.POPULATION_BY_AGE), "ward_population", ["age_band"], "people")
    assert people == {
        "all ages": 55,
        "0-17": 1 + 2 + 6,
        "18-39": 3 + 7,
        "40-64": 4,
        "65-79": 8,
        "80+": 5 + 9 + 10,
    }


def test_population_by_age_for_both_sexes_together():
    text = files.POPULATION_BY_AGE.replace("F0,F17,F18,F64,F90,M0,M39,M65,M80,M90+", "0,17,18")
    people = read(text.split("55")[0] + "6,1,2,3\n").rows["ward_population"]
    assert dict(zip(people["age_band"], people["people"], strict=True)) == {
        "all ages": 6,
        "0-17": 3,
        "18-39": 3,
    }


def test_hidden_population_is_missing_not_zero():
    load = read(files.POPULATION.replace("312", "*"))
    assert load.rows["ward_population"]["ward_code"].tolist() == ["E05000001"]
    assert "1 hidden numbers are missing, not zero" in load.notes


def test_deprivation_2025():
    load = read(files.DEPRIVATION)
    assert load.vintage == "IMD 2025 on LSOA 2021"
    assert load.rows["deprivation"].values.tolist() == [
        ["E01000001", 1, 1, "2025 E07000001"],
        ["E01000003", 33755, 10, "2025 E07000002"],
    ]


def test_deprivation_2019_is_another_part():
    load = read(files.DEPRIVATION.replace("(2021)", "(2011)"))
    assert load.vintage == "IMD 2019 on LSOA 2011"
    assert load.parts["part_key"].tolist() == ["2019 E07000001", "2019 E07000002"]


def test_deprivation_on_the_second_sheet_of_a_workbook():
    book = openpyxl.Workbook()
    book.active.append(["Notes"])
    table = book.create_sheet()
    for line in files.DEPRIVATION.replace('"33,755"', "33755").splitlines():
        table.append([int(cell) if cell.isdigit() else cell for cell in line.split(",")])
    file = io.BytesIO()
    book.save(file)
    assert read(file.getvalue()).rows["deprivation"]["imd_rank"].tolist() == [1, 33755]


# --- practices and patients ----------------------------------------------------------------


@pytest.mark.usefixtures("one_postcode")
def test_practices():
    load = read(files.PRACTICES)
    assert load.rows["practice"]["pcn_code"].tolist() == ["U00001", "U"]
    assert load.rows["practice"]["easting"].isna().tolist() == [False, True]
    assert "1 of 2 postcodes placed on the map" in load.notes
    areas = load.rows["area"].fillna("")
    assert areas[["kind", "area_code", "parent_code"]].values.tolist() == [
        ["practice", "A00001", "U00001"],
        ["practice", "A00002", ""],
        ["pcn", "U00001", "5E1"],
        ["sub_icb", "5E1", "QZZ"],
        ["icb", "QZZ", ""],
    ]
    day = date(2026, 7, 1)
    assert load.parts.iloc[0].tolist() == ["2026-07-01 QZZ", day, day]


def test_list_sizes_are_not_the_plain_sum():
    load = read(files.LIST_SIZES)
    assert sums(load, "list_size", ["practice_code"], "patients") == {"A00001": 1000, "A00002": 300}
    # Boards, PCNs, sexes and ages together would be several times as many.
    rows = list(csv.reader(files.LIST_SIZES.splitlines()))[1:]
    plain = sum(int(row[-1].replace(",", "")) for row in rows)
    assert plain == 6900


def test_registered_patients_are_not_counted_twice():
    load = read(files.REGISTERED)
    assert sums(load, "registered_patients", ["practice_code", "lsoa_code"], "patients") == {
        ("A00001", "E01000001"): 30,
        ("A00002", "E01000001"): 7,
    }


def test_registered_patients_outside_england_are_left_out_and_said():
    assert read(files.REGISTERED).notes == (
        "37 patients of 2 practices",
        "left out: 5 patients under CLOSED",
        "left out: 6 patients under EMPTY",
        "left out: 7 patients under NO2011",
        "left out: 9 patients under W01...",
    )


def test_registered_patients_under_the_other_heading():
    text = files.REGISTERED.replace("Number of Patients", "NUMBER_OF_PATIENTS")
    assert read(text).rows["registered_patients"]["patients"].sum() == 37
