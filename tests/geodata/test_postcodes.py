"""Postcodes are found whatever their spacing; those off the British grid are not."""

import pytest

from geodata.postcodes import normal_postcode, place_postcodes


@pytest.mark.parametrize("written", ["CT16 1SF", "ct161sf", " Ct16  1sF "])
def test_spacing_and_case_do_not_matter(written: str) -> None:
    assert normal_postcode(written) == "CT16 1SF"


def test_places_are_one_row_per_distinct_postcode() -> None:
    found = place_postcodes(["CT16 1SF", "ct161sf", "CT99 9ZZ", "", "é1", "BT1 1AA"])
    assert found["postcode"].tolist() == ["CT16 1SF", "CT99 9ZZ", "", "É1", "BT1 1AA"]
    assert found.loc[0, ["easting", "northing"]].tolist() == [632_102, 141_808]  # Dover
    # Northern Ireland is listed on the Irish grid, which would land in Wales.
    assert found.loc[1:, ["easting", "northing"]].isna().all(axis=None)


def test_no_postcodes_give_no_rows() -> None:
    found = place_postcodes([])
    assert found.dtypes.astype(str).to_dict() == {
        "postcode": "str",
        "easting": "float64",
        "northing": "float64",
    }
    assert found.empty
