"""The real published files of one area, where they are at hand: recognised, loaded, adding up."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from dashboard.intake import recognise, take_in
from dashboard.intake.problems import RefusedError
from dashboard.intake.source import Source
from queries.database import make_engine, upgrade

REAL = Path(__file__).parents[2].parent / "shared" / "real"
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not REAL.exists(), reason="the real files are not here"),
    # Raised inside the package of postcodes.
    pytest.mark.filterwarnings("ignore:The inplace keyword"),
]

# In loading order.
FILES = {
    "E10000016.geojson": "ward_boundaries",
    "E06000035.geojson": "ward_boundaries",
    "LSOA21_WD24_LAD24_EW_LU__subset.csv": "lsoa_ward",
    "LSOA21_SICBL24_ICB24__subset.csv": "lsoa_icb",
    "ward_population_WD23__subset.csv": "ward_population",
    "IoD2025_File1_IMD25__subset.csv": "deprivation",
    "england_cls_loneliness_lsoa__subset.csv": "lsoa_index",
    "gp-reg-pat-prac-map.csv": "practices",
    "../ods/ePCN_2025-01.xlsx": "pcn_members",
    "../ods/epraccur_2024-01__kent.csv": "practice_register",
    "gp-reg-pat-prac-quin-age.csv": "list_sizes",
    "PCN_Nov_2025_Individual_Level_Kent__RECONSTRUCTED.csv": "workforce",
    "1.Primary Care Networks - June 2026 Individual Level.csv": "workforce",
    "Practice_Level_Crosstab_Oct_25__RECONSTRUCTED.csv.gz": "appointments",
    "../oruk/north_lincolnshire_services__60_redacted.json": "directory",
}
# One kind of file each, in the forms that hold no services or break a rule.
NOT_LOADED = {
    "V3.0-UK-Fail_service_full.json": (1, "service_at_locations"),
    "V3.0-UK-Fail_service_list.json": (1, "name"),
    "examples_service_full.json": (1, "service_at_locations"),
    "examples_organization_full.json": "holds organizations, not services",
    "examples_service_at_location_full.json": "holds services at a location, not services",
    "examples_taxonomy_list.json": "holds taxonomies, not services",
    "schema_service.json": "holds a schema, not services",
}


def open_file(name: str) -> Source:
    return Source.open(REAL / "kent" / name)


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    engine = make_engine(f"sqlite:///{tmp_path_factory.mktemp('real') / 'coverage.db'}")
    upgrade(engine)
    for name in FILES:
        take_in(engine, open_file(name), b"key")
    return engine


@pytest.mark.parametrize("name", FILES)
def test_recognised(name: str):
    assert recognise(open_file(name)).name == FILES[name]


WORKERS = "FROM link_worker JOIN load_part p ON p.id = part_id WHERE p.part_key = "


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        (f"SELECT sum(fte) {WORKERS} '2026-06 QKS'", 65.5333),
        (f"SELECT sum(fte) {WORKERS} '2026-06 QKS' AND is_contracted", 11.0),
        (f"SELECT count(DISTINCT person_id) {WORKERS} '2026-06 QKS'", 66),
        (f"SELECT count(DISTINCT pcn_code) {WORKERS} '2026-06 QKS'", 27),
        (f"SELECT sum(fte) {WORKERS} '2025-11 QKS'", 66.73),
        ("SELECT count(*) FROM workforce_return r JOIN load_part p ON p.id = part_id "
         "WHERE p.part_key = '2026-06 QKS'", 44),
        ("SELECT count(DISTINCT pcn_code) FROM practice WHERE pcn_code <> 'U'", 45),
        ("SELECT count(*) FROM ward", 279),
        ("SELECT count(*) FROM ward WHERE icb_code = 'QKS' AND lad_name IS NOT NULL", 279),
        ("SELECT sum(lsoas) FROM ward", 1107),
        ("SELECT count(*) FROM lsoa_icb", 1107),
        ("SELECT count(*) FROM deprivation", 1107),
        ("SELECT count(*) FROM area WHERE kind = 'lad' AND vintage = 2025", 13),
        ("SELECT sum(patients) FROM list_size", 2_039_483),
        ("SELECT count(*) FROM ward_population", 289),
        ("SELECT count(*) FROM practice_appointment", 174),
        ("SELECT count(social_prescribing) FROM practice_appointment", 16),
        ("SELECT sum(social_prescribing) FROM practice_appointment", 4_851),
        ("SELECT sum(all_categories) FROM practice_appointment", 3_464_814),
        ("SELECT count(*) FROM practice_appointment WHERE pcn_code IS NULL", 1),
        ("SELECT count(*) FROM pcn_membership", 7_705),
        ("SELECT count(*) FROM pcn_membership WHERE valid_until IS NOT NULL", 1_481),
        ("SELECT count(DISTINCT sub_icb_code) FROM pcn_membership", 113),
        ("SELECT count(*) FROM practice_register WHERE icb_code = 'QKS'", 426),
        ("SELECT count(*) FROM practice_register WHERE status = 'A'", 364),
        ("SELECT count(*) FROM practice_register WHERE setting = '4'", 223),
        ("SELECT count(*) FROM lsoa_index", 1107),
        ("SELECT avg(value) FROM lsoa_index", 24.951),
        ("SELECT max(decile) FROM lsoa_index", 10),
        ("SELECT count(*) FROM service", 60),
        ("SELECT count(confirmed_on) FROM service", 60),
        ("SELECT count(*) FROM service_place", 0),
    ],
)  # fmt: skip
def test_adds_up(loaded: Engine, statement: str, expected: float):
    with loaded.connect() as connection:
        assert connection.execute(text(statement)).scalar() == pytest.approx(expected, abs=0.005)


def test_appointments_of_the_one_category_are_the_same():
    source = open_file("Practice_Level_Crosstab_Oct_25__SocialPrescribingService_RECONSTRUCTED.csv")
    load = recognise(source).read(source, None)
    rows = load.rows["practice_appointment"]
    assert (len(rows), rows["social_prescribing"].sum()) == (16, 4_851)
    assert rows["all_categories"].isna().all()


@pytest.mark.parametrize("name", NOT_LOADED)
def test_examples_that_are_no_services_or_break_a_rule_are_refused(name: str):
    source = Source.open(REAL / "oruk" / name)
    assert recognise(source).name == "directory"
    with pytest.raises(RefusedError) as refusal:
        recognise(source).read(source, None)
    expected, problems = NOT_LOADED[name], refusal.value.problems
    if isinstance(expected, str):
        assert expected in problems[0].rule
    else:
        # What the report says of the whole feed goes before its entries.
        assert problems[0].rule.startswith("Open Referral UK report: ")
        assert (problems[1].row, problems[1].column) == expected


def test_the_example_of_a_page_is_read():
    source = Source.open(REAL / "oruk" / "examples_service_list.json")
    load = recognise(source).read(source, None)
    assert (load.rows_read, load.rows_refused) == (1, 0)
    assert "warn: 1 of 10 pages (page 1): send the others too" in load.notes


@pytest.mark.slow
def test_the_whole_of_england_by_lsoa():
    name = "File_1_IoD2025_Index_of_Multiple_Deprivation.xlsx"
    source = Source.open(REAL / name)
    load = recognise(source).read(source, None)
    assert (load.rows_read, load.vintage) == (33_755, "IMD 2025 on LSOA 2021")
    assert load.rows["deprivation"]["imd_rank"].nunique() == 33_755
