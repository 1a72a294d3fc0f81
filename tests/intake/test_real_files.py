"""The real published files of one area, where they are at hand: recognised, loaded, adding up."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from dashboard.intake import recognise, take_in
from dashboard.intake.source import Source
from queries.database import make_engine, upgrade

REAL = Path(__file__).parents[2].parent / "shared" / "real"
pytestmark = [
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
    "gp-reg-pat-prac-map.csv": "practices",
    "gp-reg-pat-prac-quin-age.csv": "list_sizes",
    "PCN_Nov_2025_Individual_Level_Kent__RECONSTRUCTED.csv": "workforce",
    "1.Primary Care Networks - June 2026 Individual Level.csv": "workforce",
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
    ],
)  # fmt: skip
def test_adds_up(loaded: Engine, statement: str, expected: float):
    with loaded.connect() as connection:
        assert connection.execute(text(statement)).scalar() == pytest.approx(expected, abs=0.005)


@pytest.mark.slow
def test_the_whole_of_england_by_lsoa():
    name = "File_1_IoD2025_Index_of_Multiple_Deprivation.xlsx"
    source = Source.open(REAL / name)
    load = recognise(source).read(source, None)
    assert (load.rows_read, load.vintage) == (33_755, "IMD 2025 on LSOA 2021")
    assert load.rows["deprivation"]["imd_rank"].nunique() == 33_755
