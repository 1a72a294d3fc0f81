"""The pages of a pack as a PDF, read back: what stands on them, and what a screen reader is told."""

from __future__ import annotations

import io
from collections import Counter
from dataclasses import replace
from typing import Any

import pypdf
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.pack.content import Chart, Column, Pack, Page, Series, Table, decimals_of
from dashboard.pack.document import _widths, document, placed, ticks_of
from dashboard.pack.typeset import ZERO_WIDTH_SPACE
from tests.pack.a_pack import LONG, QUOTED, TAG, a_pack
from tests.test_brief_pdf import structure


def read(pack: Pack) -> pypdf.PdfReader:
    return pypdf.PdfReader(io.BytesIO(document(pack)))


def words(page: Any) -> str:
    """The text of a page on one line."""
    return " ".join(page.extract_text().replace(ZERO_WIDTH_SPACE, "").split())


def one(**changes: Any) -> Pack:
    """A pack of one page of words, changed."""
    pack = a_pack()
    return replace(pack, pages=(replace(pack.pages[3], **changes),))


def is_ua(pack: Pack) -> bool:
    return b"<pdfuaid:part>1</pdfuaid:part>" in document(pack)


def test_each_page_says_what_was_found_and_from_what() -> None:
    pack = a_pack()
    pages = [words(page) for page in read(pack).pages]
    assert len(pages) == 2 + len(pack.pages) + 1
    for number, text in enumerate(pages, 1):
        assert " ".join(pack.stamp) in text
        assert f"{number} of 7" in text
        assert "Simulated data" in text.replace(" ".join(pack.stamp), "")
    for page, text in zip(pack.pages, pages[2:], strict=False):
        assert page.finding in pages[1]
        for said in (page.finding, page.period, *page.sentences, *page.sources):
            assert said in text
        for name, meaning in page.definitions:
            assert f"{name}: {meaning}" in text
    for said in ("Expected range", "a1" * 32, "b2" * 32, "PCN workforce <June> & July.csv"):
        assert said in pages[-1]


def test_tables_as_they_are_read() -> None:
    _, _, bars, _, wards, *_ = (words(page) for page in read(a_pack()).pages)
    assert f"{QUOTED} * * -Margate PCN" in bars
    assert f"{TAG} 0.42 7,105 +Margate PCN" in bars
    assert f"{LONG} 1.25 12,345 @CARE PCN" in bars
    assert "Thanet Villages – 5,000 n/a" in bars
    assert "Ward 12 No provision 12 1.2" in wards
    assert "Ward 13" not in wards
    assert "the first 12 of 30 rows; the workbook has them all" in wards


def test_what_a_screen_reader_is_told() -> None:
    reader = read(a_pack())
    root: Any = reader.trailer["/Root"]
    assert (root["/Lang"], root["/MarkInfo"]["/Marked"]) == ("en-GB", True)
    assert reader.metadata
    assert reader.metadata.title == a_pack().title
    assert reader.metadata.author == "Social prescribing dashboard"
    assert is_ua(a_pack())
    found = list(structure(root["/StructTreeRoot"]))
    tags = Counter(tag for tag, _ in found)
    # Contents, four pages and the method; two tables and the files.
    assert (tags["/H1"], tags["/Table"], tags["/TH"]) == (6, 3, 4 + 4 + 3)
    assert [alt for tag, alt in found if tag == "/Figure"] == [
        "Bars of 5 wards: Cliftonville West has the most, 1.25 for 10,000 adults.",
        "Line of 12 months: March 2026 is above the upper limit; 2 months are not available.",
        "Map of 30 wards: 12 have no provision, 9 are below the expected range, 6 are as expected "
        "and 3 have made no return.",
    ]


def test_bookmarks_and_links() -> None:
    reader = read(a_pack())
    marks: list[Any] = reader.outline
    assert [mark.title for mark in marks] == [
        "Contents",
        *(page.finding for page in a_pack().pages),
        "How it was worked out, and from which files",
    ]
    assert [reader.get_destination_page_number(mark) for mark in marks] == [1, 2, 3, 4, 5, 6]
    links: list[Any] = [
        [note.get_object() for note in page.get("/Annots", [])] for page in reader.pages
    ]
    assert len({str(link["/Dest"]) for link in links[1]}) == 5
    assert [[link["/A"]["/URI"] for link in page] for page in links[2:6]] == [
        [page.link] for page in a_pack().pages
    ]


def test_the_same_pack_is_the_same_file() -> None:
    assert document(a_pack()) == document(a_pack())
    assert document(a_pack()) != document(replace(a_pack(), version="0.2.0"))
    assert b"CreateDate" not in document(a_pack())


def test_real_data_has_no_band() -> None:
    pages = read(replace(a_pack(), is_simulated=False)).pages
    assert not any("Simulated" in words(page) for page in pages)


def bars(*series: Series, kind: Any = "bars") -> Chart:
    return Chart(kind, "A chart", "people", ("a", "b"), series, "In words")


def points(chart: Chart) -> Any:
    drawn: Any = placed(chart)
    return [told["points"] for told in drawn["series"]]


def test_where_bars_end() -> None:
    """From -5 to 10 in steps of 5: nought is at a third."""
    chart = bars(Series("x", (-5.0, 10.0)), Series("y", (None, 2.5)))
    drawn: Any = placed(chart)
    assert drawn["axis"] == [[0, "-5"], [0.333333, "0"], [0.666667, "5"], [1, "10"]]
    assert points(chart) == [
        [[0.333333, 0, "-5.0"], [0.333333, 1, "10.0"]],
        [None, [0.333333, 0.5, "2.5"]],
    ]


def test_parts_stand_on_each_other_and_a_hidden_one_takes_no_room() -> None:
    parts = (Series("x", (2.0, None)), Series("y", (3.0, 4.0)))
    assert points(bars(*parts, kind="stacked")) == [
        [[0.0, 0.4, "2"], None],
        [[0.4, 1.0, "3"], [0.0, 0.8, "4"]],
    ]


def test_lines_far_from_nought_begin_elsewhere() -> None:
    near: Any = placed(bars(Series("x", (49.0, 100.0)), kind="lines"))
    far: Any = placed(bars(Series("x", (51.0, 100.0)), kind="lines"))
    assert (near["axis"][0][1], far["axis"][0][1]) == ("0", "50")


def test_every_tick_reads_as_another() -> None:
    drawn: Any = placed(bars(Series("x", (101.0, 102.5)), kind="lines"))
    labels = [label for _, label in drawn["axis"]]
    assert labels == ["101.0", "101.5", "102.0", "102.5"]


@pytest.mark.parametrize("kind", ["bars", "stacked", "lines"])
@pytest.mark.parametrize("series", [(), (Series("x", (None, None)),)])
def test_no_number_can_be_shown(kind: Any, series: tuple[Series, ...]) -> None:
    assert "A chart No number can be shown." in words(
        read(one(chart=bars(*series, kind=kind))).pages[2]
    )


@pytest.mark.parametrize("kind", ["bars", "stacked", "lines"])
def test_a_gap_is_no_nought(kind: Any) -> None:
    chart = bars(Series("x", (7.0, None)), Series("y", (None, None)), kind=kind)
    text = words(read(one(chart=chart)).pages[2])
    assert "not shown" in text
    assert is_ua(one(chart=chart))


@given(
    st.floats(-1e9, 1e9, allow_nan=False).map(lambda value: round(value, 4)),
    st.floats(0, 1e9, allow_nan=False).map(lambda value: round(value, 4)),
)
def test_ticks_hold_what_is_drawn(low: float, width: float) -> None:
    found = ticks_of(low, low + width)
    slack = 1e-6 * max(abs(low), abs(low + width), 1)
    assert found[0] <= low + slack
    assert found[-1] >= low + width - slack
    assert 2 <= len(found) <= 8


@pytest.mark.parametrize(
    ("values", "expected"),
    [([0, 5, 120], 0), ([0.42, 1.25], 2), ([43.3], 1), ([100 / 3], 1), ([1 / 3], 3), ([1234.5], 0)],
)
def test_as_few_decimals_as_tell_the_values(values: list[float], expected: int) -> None:
    assert decimals_of(values) == expected


def test_a_table_of_many_rows_has_its_heading_on_every_page() -> None:
    columns = (Column("Ward"), *(Column(f"Quarter {number}", 1) for number in range(9)))
    rows = tuple((f"Row-{row} {LONG}", *(1234.5,) * 9) for row in range(30))
    pages = [words(page) for page in read(one(tables=(Table("T", columns, rows, 30),))).pages[2:-1]]
    assert len(pages) > 1
    assert all("Quarter 0" in page for page in pages if "Row-" in page)
    assert all(any(f"Row-{row} " in page for page in pages) for row in range(30))


def test_a_column_in_which_nothing_is_said_is_left_out() -> None:
    columns = (Column("Ward"), Column("Not known because"), Column("Number", 0))
    rows = (("Ward 1", "", 3), ("Ward 2", "late", 4))
    for shown, says in ((1, False), (2, True)):
        page = words(read(one(tables=(Table("Wards", columns, rows, shown),))).pages[2])
        assert ("Not known because" in page) is says


def test_numbers_stay_whole_beside_long_words() -> None:
    """Their columns have all the letters they need, and those of words share the rest."""
    header = ["Name", "Adults", "Why"]
    cells = [["Ward 1", "1,234,567.0", "because " * 40]]
    assert _widths(header, cells) == [9, 14, 102]
    assert _widths(header, [["Ward 1", "12", "late"]]) == []


def test_no_rows() -> None:
    assert "No rows." in words(read(one(tables=(Table("T", (Column("A"),), ()),))).pages[2])


HOSTILE = ['#read("/etc/hostname")', "*b* _i_ $x$ `c` \\ @key <label>", "// [content] {code} --- "]


@pytest.mark.parametrize("hostile", HOSTILE)
def test_text_is_never_markup(hostile: str) -> None:
    page = Page(
        "key", hostile, hostile, (hostile,), hostile, ((hostile, hostile),), (hostile,), "",
        chart=Chart("bars", hostile, hostile, (hostile,), (Series(hostile, (1.0,)),), hostile),
        tables=(Table(hostile, (Column(hostile),), ((hostile,),)),),
    )  # fmt: skip
    pack = replace(a_pack(), pages=(page,))
    # Subject, finding, sentence, period, term and meaning, source, chart (title, unit and name),
    # table (title, heading, cell).
    text = "".join(words(read(pack).pages[2]).split())
    assert text.count("".join(hostile.split())) == 13
    assert is_ua(pack)


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40))
def test_any_words_make_pages(said: str) -> None:
    chart = Chart("lines", said, said, (said,), (Series(said, (1.0,)),), said)
    table = Table(said, (Column(said),), ((said,),))
    assert len(read(one(finding=f"x{said}", chart=chart, tables=(table,))).pages) >= 4


def test_a_letter_the_font_lacks_is_a_box() -> None:
    assert not is_ua(one(finding="漢字"))
