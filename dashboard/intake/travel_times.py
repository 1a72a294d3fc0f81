"""Travel times between wards, a local return: minutes by each way of travelling."""

from __future__ import annotations

import pandas as pd

from dashboard.intake.dataset import WARD, Column, Dataset, Lookups, Template, parts_of, sheet_with
from dashboard.intake.local_return import check_return, not_read
from dashboard.intake.source import Source
from queries.load import CleanLoad

COLUMNS = ("mode", "from_ward_code", "to_ward_code", "minutes")
ALSO = {
    "mode": ("travel_mode", "mode_of_travel", "transport", "transport_mode"),
    "from_ward_code": ("from", "from_ward", "from_code", "origin", "origin_ward_code"),
    "to_ward_code": ("to", "to_ward", "to_code", "destination", "destination_ward_code"),
    # Each names its unit: a "travel time" could be seconds.
    "minutes": ("mins", "travel_minutes", "travel_time_minutes", "duration_minutes"),
}
MODE_CHARACTERS = 40


def _recognises(source: Source) -> bool:
    return sheet_with(source, *COLUMNS, also=ALSO) is not None


def _read(source: Source, _lookups: Lookups) -> CleanLoad:
    check = check_return(source, COLUMNS, ALSO, of_persons=True)
    rows = pd.DataFrame(
        {
            # "Bus" and "bus" are one way of travelling.
            "mode": check.text("mode", most=MODE_CHARACTERS).str.lower(),
            "from_ward_code": check.code("from_ward_code", *WARD),
            "to_ward_code": check.code("to_ward_code", *WARD),
            "minutes": check.number("minutes"),
        }
    )
    key = ["mode", "from_ward_code", "to_ward_code"]
    check.no_repeats(rows[key], "way of travelling from and to the same wards")
    check.finish()

    rows["part_key"] = rows["mode"] + " " + rows["from_ward_code"]
    return CleanLoad(
        dataset=DATASET.name,
        file_name=source.name,
        sha256=source.sha256,
        rows_read=len(rows),
        parts=parts_of(rows),
        rows={"travel_time": rows},
        notes=(
            f"times: {len(rows)}; wards set out from: {rows['from_ward_code'].nunique()}; "
            f"ways of travelling: {', '.join(sorted(rows['mode'].unique()))}",
            *not_read(check),
        ),
    )


TEMPLATE = Template(
    "one way of travelling from one ward to another that can be reached, or within one ward",
    (
        Column(
            "mode",
            True,
            "How one travels, in the same words in every row: for example bus, walking or car; "
            f"at most {MODE_CHARACTERS} characters.",
            "bus",
        ),
        Column("from_ward_code", True, "Code of the ward one sets out from.", "E05012345"),
        Column("to_ward_code", True, "Code of the ward one comes to.", "E05012346"),
        Column(
            "minutes",
            True,
            "Minutes from door to door, 0 or more; a ward that can't be reached has no row.",
            "17.5",
        ),
    ),
)
DATASET = Dataset(
    "travel_times",
    "Travel times between wards (local return)",
    _recognises,
    _read,
    replaces="the times of the same way of travelling from the same ward",
    parts="wards of a way of travelling",
    template=TEMPLATE,
)
