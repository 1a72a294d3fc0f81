"""The slides, opened again: what stands on them, what is inside their charts, and what is not."""

from __future__ import annotations

import io
import shutil
import subprocess
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import openpyxl
import pptx
import pypdf
import pytest
from PIL import Image
from pptx.oxml.ns import qn

from dashboard.pack.content import Chart, Column, Pack, Page, Series, Table
from dashboard.pack.slide_charts import NO_NUMBER, NOTHING_TO_DRAW
from dashboard.pack.slide_template import BODY, FOOTER
from dashboard.pack.slides import slides
from tests.conftest import skip_or_fail
from tests.pack.a_pack import FORMULA, LONG, MONTHS, QUOTED, REFERRED, TAG, a_pack

COVER, CONTENTS, BARS, LINES, MAP, WORDS, METHOD, SOURCES = range(8)


@lru_cache(maxsize=1)
def made() -> bytes:
    return slides(a_pack())


def opened(pack: Pack | None = None) -> list[Any]:
    return list(pptx.Presentation(io.BytesIO(slides(pack) if pack else made())).slides)


def with_page(**changes: Any) -> Pack:
    """The pack with one page, the first, changed."""
    pack = a_pack()
    return replace(pack, pages=(replace(pack.pages[0], **changes),))


def words(slide: Any) -> list[str]:
    """Every text of a slide that is not in a table or chart, in its order."""
    return [
        shape.text_frame.text
        for shape in slide.shapes
        if shape.has_text_frame and shape.text_frame.text
    ]


def notes(slide: Any) -> str:
    return str(slide.notes_slide.notes_text_frame.text)


def tables(slide: Any) -> list[list[list[str]]]:
    return [
        [[cell.text_frame.text for cell in row.cells] for row in shape.table.rows]
        for shape in slide.shapes
        if shape.has_table
    ]


def charts(slide: Any) -> list[Any]:
    return [shape.chart for shape in slide.shapes if shape.has_chart]


def inside(chart: Any) -> list[tuple[object, ...]]:
    """The rows of the workbook that opens at "Edit data"."""
    book = openpyxl.load_workbook(io.BytesIO(chart.part.chart_workbook.xlsx_part.blob))
    assert {cell.data_type for row in book.active.iter_rows() for cell in row} <= {"s", "n"}
    return list(book.active.iter_rows(values_only=True))


def alt(shape: Any) -> str:
    return str(shape._element.xpath("./*/p:cNvPr")[0].get("descr", ""))


def all_xml(content: bytes) -> Iterator[tuple[str, str]]:
    """Every part of the file as text, and those of the workbooks inside it."""
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        for name in file.namelist():
            if name.endswith(".xlsx"):
                yield from all_xml(file.read(name))
            elif name.endswith((".xml", ".rels")):
                yield name, file.read(name).decode()


def test_a_slide_a_page_with_its_finding_as_title() -> None:
    titles = [slide.shapes.title.text_frame.text for slide in opened()]
    assert titles == [
        "Social prescribing in Thanet & Dover: what to decide",
        "Contents",
        "=1+1 and two other wards have no link worker",
        "Referrals rose above the upper limit in March 2026 and came back in April",
        "12 of 30 wards have no provision",
        "Two decisions are due before the next meeting",
        "Small numbers and method",
        "Sources",
    ]


def test_sixteen_by_nine() -> None:
    show = pptx.Presentation(io.BytesIO(made()))
    assert show.slide_width is not None
    assert show.slide_height is not None
    assert show.slide_width / show.slide_height == pytest.approx(16 / 9, rel=1e-4)


def test_nothing_stands_outside_the_slide() -> None:
    show = pptx.Presentation(io.BytesIO(slides(many_pages())))
    for slide in show.slides:
        for shape in slide.shapes:
            assert shape.left >= 0
            assert shape.top >= 0
            assert shape.left + shape.width <= show.slide_width
            assert shape.top + shape.height <= show.slide_height


def test_no_two_shapes_of_a_slide_have_one_number() -> None:
    """PowerPoint asks to repair a file in which they have."""
    for slide in opened():
        numbers = [shape.shape_id for shape in slide.shapes]
        assert len(numbers) == len(set(numbers))


def test_the_cover_says_what_it_is() -> None:
    said = "\n".join(words(opened()[COVER]))
    for part in ("Thanet", "As at 30 June 2026", "Changes since 31 May 2026", *a_pack().stamp):
        assert part in said


def test_contents_open_the_slide_of_each_finding() -> None:
    show = opened()
    contents = show[CONTENTS]
    (table,) = tables(contents)
    assert [row[2] for row in table] == ["Slide", "3", "4", "5", "6"]
    assert [row[1] for row in table[1:]] == [page.finding for page in a_pack().pages]
    links = [link.get(qn("r:id")) for link in contents.element.iter(qn("a:hlinkClick"))]
    assert [contents.part.related_part(link) for link in links] == [
        show[at].part for at in (BARS, LINES, MAP, WORDS)
    ]


def test_bars_are_native_with_the_released_numbers_only() -> None:
    (chart,) = charts(opened()[BARS])
    name = LONG[:59].rstrip() + "…"
    assert inside(chart) == [
        (None, "Link workers"),
        (FORMULA, 0),
        (TAG, 0.42),
        (QUOTED, None),
        (name, 1.25),
        ("Thanet Villages", None),
    ]
    (series,) = chart.plots[0].series
    assert list(series.values) == [0.0, 0.42, None, 1.25, None]
    assert list(chart.plots[0].categories) == [FORMULA, TAG, QUOTED, name, "Thanet Villages"]
    assert chart.value_axis.axis_title.text_frame.text == "FTE per 10,000 adults"
    assert chart.category_axis.reverse_order
    assert NO_NUMBER["bars"] in words(opened()[BARS])


def test_lines_keep_their_gaps() -> None:
    (chart,) = charts(opened()[LINES])
    rows = inside(chart)
    assert rows[0] == (None, "Referred", "Mean", "Lower limit", "Upper limit", "Target")
    assert rows[1:] == [
        (month, value, 43.3, 28.5, 58.1, 50) for month, value in zip(MONTHS, REFERRED, strict=True)
    ]
    assert tuple(chart.plots[0].series[0].values) == REFERRED
    blanks = chart._chartSpace.find(f".//{qn('c:dispBlanksAs')}")
    assert blanks.get("val") == "gap"
    assert NO_NUMBER["lines"] in words(opened()[LINES])


def test_only_what_is_told_has_marks_on_its_line() -> None:
    (chart,) = charts(opened()[LINES])
    drawn = [series.marker.style for series in chart.plots[0].series]
    assert [str(style).split()[0] for style in drawn] == ["CIRCLE", *["NONE"] * 4]


def test_stacked_bars() -> None:
    parts = (Series("Connected", (2.0, 3.0)), Series("Declined", (1.0, None)))
    stacked = Chart("stacked", "Outcomes", "Referrals", ("PCN A", "PCN B"), parts, "Two bars")
    slide = opened(with_page(chart=stacked, tables=()))[BARS]
    (chart,) = charts(slide)
    assert str(chart.chart_type).startswith("BAR_STACKED")
    assert inside(chart)[1:] == [("PCN A", 2, 1), ("PCN B", 3, None)]
    assert NO_NUMBER["stacked"] in words(slide)


def test_a_chart_without_a_number_says_so() -> None:
    bars = a_pack().pages[0].chart
    assert bars is not None
    slide = opened(with_page(chart=replace(bars, series=(Series("None", (None,) * 5),))))[BARS]
    assert charts(slide) == []
    assert NOTHING_TO_DRAW in words(slide)


def test_more_bars_than_can_be_read_are_in_the_workbook() -> None:
    names = tuple(f"Ward {at}" for at in range(60))
    bars = Chart("bars", "Wards", "People", names, (Series("People", (1.0,) * 60),), "60 bars")
    slide = opened(with_page(chart=bars, tables=()))[BARS]
    (chart,) = charts(slide)
    shown = len(inside(chart)) - 1
    assert list(chart.plots[0].categories) == list(names[:shown])
    assert f"And {60 - shown} more in the workbook." in words(slide)


def test_marks_stand_in_tables_and_are_explained() -> None:
    (table,) = tables(opened()[BARS])
    assert table == [
        ["Ward", "FTE per 10,000", "Adults", "PCN"],
        [FORMULA, "0.00", "6,420", "Ramsgate PCN"],
        [TAG, "0.42", "7,105", "+Margate PCN"],
        [QUOTED, "*", "*", "-Margate PCN"],
        [LONG, "1.25", "12,345", "@CARE PCN"],
        ["Thanet Villages", "–", "5,000", "n/a"],
    ]
    assert (
        "* hidden, so that nobody can be recognised; – not available: nobody has told us; "
        "n/a not applicable" in words(opened()[BARS])
    )


def test_a_table_shows_its_first_rows_and_says_how_many_more() -> None:
    slide = opened()[MAP]
    (table,) = tables(slide)
    assert [row[0] for row in table] == ["Ward", *(f"Ward {at:02}" for at in range(1, 13))]
    assert "and 18 more in the workbook; * hidden, so that nobody can be recognised" in words(slide)


def test_a_table_that_does_not_fit_has_one_slide_of_its_own() -> None:
    rows = tuple((f"{LONG} {at}", at) for at in range(60))
    table = Table("All wards", (Column("Ward"), Column("Number", 0)), rows, shown=60)
    show = opened(with_page(tables=(table,)))
    (slide,) = [one for one in show if one.shapes.title.text_frame.text == "All wards"]
    ((_, *written),) = tables(slide)
    assert 10 < len(written) < 60
    assert written == [[name, str(number)] for name, number in rows[: len(written)]]
    assert f"and {60 - len(written)} more in the workbook" in words(slide)
    assert a_pack().pages[0].finding in notes(slide)


def test_a_column_in_which_nothing_is_said_is_left_out() -> None:
    columns = (Column("Ward"), Column("Not known because"), Column("Number", 0))
    rows = (("Ward 1", "", 3), ("Ward 2", "", 4), ("Ward 3", "late", 5))
    for shown, header in ((2, ["Ward", "Number"]), (3, ["Ward", "Not known because", "Number"])):
        slide = opened(with_page(tables=(Table("Wards", columns, rows, shown),)))[BARS]
        assert tables(slide)[0][0] == header


def test_an_empty_cell_is_no_higher_than_its_words() -> None:
    """Without a size of its own it is as high as 18 points, and the rows run over the footer."""
    columns = (Column("Ward"), Column("Why"))
    slide = opened(with_page(tables=(Table("Wards", columns, (("A", ""), ("B", "late"))),)))[BARS]
    (table,) = [shape.table for shape in slide.shapes if shape.has_table]
    ends = list(table._tbl.iter(qn("a:endParaRPr")))
    assert len(ends) == 6
    assert {end.get("sz") for end in ends} == {"1400"}


def test_tables_end_above_the_footer_and_nothing_stands_on_them() -> None:
    for slide in opened(many_pages())[CONTENTS:]:
        footer = FOOTER.inches()[1]
        bottom = sum(BODY.inches()[1::2])
        for shape in slide.shapes:
            if shape.has_table:
                end = shape.top + sum(row.height for row in shape.table.rows)
                below = [
                    one.top
                    for one in slide.shapes
                    if one.top > shape.top and one.left < shape.left + shape.width
                    and one.left + one.width > shape.left
                ]  # fmt: skip
                assert end <= min(bottom, *below)
            elif not shape.is_placeholder and shape.top < footer:
                assert shape.top + shape.height <= footer


def test_a_long_period_stays_on_its_line() -> None:
    slide = opened(with_page(period="Workforce census 30 June 2026; " * 9))[BARS]
    (above,) = [shape for shape in slide.shapes if shape.has_text_frame
                and shape.text_frame.text.startswith("Provision · ")]  # fmt: skip
    assert above.text_frame.text.endswith("…")
    assert above.top + above.height <= slide.shapes.title.top


def test_a_chart_and_a_map_stand_beside_each_other() -> None:
    slide = opened(with_page(map=a_pack().pages[2].map))[BARS]
    (picture,) = [shape for shape in slide.shapes if shape.shape_type == 13]
    (chart,) = [shape for shape in slide.shapes if shape.has_chart]
    assert chart.left + chart.width <= picture.left


def test_of_many_months_every_third_is_named() -> None:
    def skip(months: int) -> str:
        names = tuple(f"Month {at}" for at in range(months))
        drawn = Chart("lines", "A", "B", names, (Series("C", (1.0,) * months),), "D")
        (chart,) = charts(opened(with_page(chart=drawn, tables=()))[BARS])
        return str(chart._chartSpace.find(f".//{qn('c:tickLblSkip')}").get("val"))

    assert (skip(12), skip(13)) == ("1", "3")


def test_a_chart_holds_no_digit_more_than_is_read() -> None:
    bars = Chart("bars", "A", "B", ("x", "y"), (Series("C", (345.22, -0.49)),), "D")
    (chart,) = charts(opened(with_page(chart=bars, tables=()))[BARS])
    assert inside(chart)[1:] == [("x", 345), ("y", 0)]


def test_the_map_is_a_small_sharp_picture_with_its_key() -> None:
    slide = opened()[MAP]
    (picture,) = [shape for shape in slide.shapes if shape.shape_type == 13]
    with Image.open(io.BytesIO(picture.image.blob)) as image:
        assert image.size == (1600, 1067)
        shown = image.convert("RGB")
        assert [shown.getpixel(at) for at in ((400, 300), (1200, 300), (1200, 800))] == [
            (0x5B, 0x1A, 0x2E),
            (0x9D, 0xC3, 0xE6),
            (0xF4, 0xB1, 0x83),
        ]
        # White with lines across: the texture is drawn.
        hatched = {shown.getpixel((x, 800)) for x in range(300, 500)}
    assert (255, 255, 255) in hatched
    assert len(hatched) > 3
    assert len(picture.image.blob) < 60_000
    for entry in ("No provision: 12", "Below the expected range: 9", "No return: 3"):
        assert entry in words(slide)


def test_every_picture_chart_and_table_has_alternative_text() -> None:
    for slide in opened(many_pages()):
        for shape in slide.shapes:
            if not shape.has_text_frame or shape.shape_type == 1:
                assert alt(shape), (slide.shapes.title.text_frame.text, shape.name)
    show = opened()
    a, b, c, _ = a_pack().pages
    assert a.chart
    assert b.chart
    assert c.map
    for slide, told in ((BARS, a.chart.alt), (LINES, b.chart.alt), (MAP, c.map.alt)):
        assert told in [alt(shape) for shape in show[slide].shapes]


def test_notes_have_definitions_sources_period_link_and_stamp() -> None:
    pack, show = a_pack(), opened()
    for slide, page in zip(show[BARS:METHOD], pack.pages, strict=True):
        told = notes(slide)
        expected = [*(f"{term}: {meaning}" for term, meaning in page.definitions), *page.sources]
        for part in (*expected, *page.sentences, f"Period: {page.period}.", page.link, *pack.stamp):
            assert part in told
    assert all(sum_ in notes(show[SOURCES]) for _, _, sum_ in pack.sources)


def test_every_slide_has_its_stamp_and_says_that_data_is_simulated() -> None:
    pack, show = a_pack(), opened()
    stamp = " ".join(pack.stamp)
    assert [stamp in words(slide) for slide in show[CONTENTS:]] == [True] * 7
    assert all(any("Simulated data" in text for text in words(slide)) for slide in show)
    real = opened(replace(pack, is_simulated=False))
    assert not any("imulated" in "".join(words(slide)) + notes(slide) for slide in real)


def test_sources_profile_and_method_have_slides() -> None:
    show = opened()
    assert tables(show[SOURCES]) == [
        [
            ["Dataset", "File"],
            ["Referrals", "referrals_2026-06.csv"],
            ["Link workers", "PCN workforce <June> & July.csv"],
        ]
    ]
    said = "\n".join(words(show[METHOD]))
    assert "Small numbers: nhs (counts below 5 hidden, others rounded to 5)." in said
    assert "Mean: The mean of the twelve months before." in said


def test_a_dataset_of_many_files_is_a_row_and_its_files_are_in_the_notes() -> None:
    sources = tuple(("Workforce", f"month_{at}.csv", f"{at}" * 64) for at in range(3))
    slide = opened(replace(a_pack(), sources=sources))[SOURCES]
    assert tables(slide)[0][1:] == [["Workforce", "month_2.csv and 2 more, named in the notes"]]
    assert all(name in notes(slide) and sum_ in notes(slide) for _, name, sum_ in sources)


def test_about_the_file() -> None:
    about = pptx.Presentation(io.BytesIO(made())).core_properties
    assert (about.title, about.author, about.last_modified_by, about.language) == (
        a_pack().title,
        "Social prescribing dashboard",
        "Social prescribing dashboard",
        "en-GB",
    )
    assert about.created == about.modified == datetime(2026, 6, 30)
    spoken = {
        run.get_or_add_rPr().get("lang")
        for slide in opened()
        for run in slide.element.iter(qn("a:r"))
    }
    assert spoken == {"en-GB"}


def test_the_same_pack_is_the_same_bytes() -> None:
    assert slides(a_pack()) == made()


def test_nothing_of_what_the_pack_does_not_show() -> None:
    """Rows below those shown, and the configuration, are not in the file."""
    canary = "Canary 7391"
    pack = a_pack()
    table = Table("Wards", (Column("Ward"),), (("Ward 1",), (canary,)), shown=1)
    content = slides(
        replace(pack, config={"key": canary}, pages=(replace(pack.pages[3], tables=(table,)),))
    )
    assert [name for name, text in all_xml(content) if canary in text] == []
    assert [name for name, text in all_xml(content) if "Ward 1" in text] != []


def test_hidden_marks_are_nowhere_a_number() -> None:
    """Neither the marks as such nor a nought stands in a chart where nothing was released."""
    for name, text in all_xml(made()):
        if name.startswith("ppt/charts/") or name.startswith("xl/"):
            assert "[c]" not in text
            assert "[x]" not in text
    (chart,) = charts(opened()[BARS])
    cached = chart._chartSpace.findall(f".//{qn('c:val')}//{qn('c:pt')}")
    assert [(point.get("idx"), point.findtext(qn("c:v"))) for point in cached] == [
        ("0", "0.0"),
        ("1", "0.42"),
        ("3", "1.25"),
    ]


def test_only_web_links_are_links() -> None:
    shown = opened(with_page(link="javascript:alert(1)"))[BARS]
    assert "Open in the dashboard" not in words(shown)
    assert "Open in the dashboard" in words(opened()[BARS])


def test_signs_that_no_file_can_hold() -> None:
    told = opened(with_page(finding="A\x00B\ud800C\x1b=D"))[BARS].shapes.title.text_frame.text
    assert told == "A B C =D"


def test_sentences_that_do_not_fit_are_continued() -> None:
    sentences = tuple(f"Decision {at}: who does what until when." for at in range(40))
    show = opened(with_page(sentences=sentences, chart=None, tables=()))
    said = [line for slide in show for text in words(slide) for line in text.split("\n")]
    assert [line for line in said if line.startswith("Decision")] == list(sentences)


def test_no_pages() -> None:
    assert len(opened(replace(a_pack(), pages=()))) == 4


def test_a_long_stamp_keeps_its_end() -> None:
    pack = replace(a_pack(), filters=tuple((f"Filter {at}", "chosen " * 20) for at in range(20)))
    slide = opened(pack)[BARS]
    (stamp,) = [text for text in words(slide) if text.endswith("Version 0.1.0.")]
    assert "As at 30 June 2026." in stamp
    assert pack.stamp[1].split(";")[-1] not in stamp
    assert pack.stamp[1].split(";")[-1].strip() in notes(slide)


def many_pages() -> Pack:
    """What is hard to place: long findings, many bars, a wide table, a map and words alone."""
    pack = a_pack()
    bars, lines, mapped, told = pack.pages
    wide = Table(
        "Everything",
        tuple(Column(f"Column {at}", 1 if at else None) for at in range(11)),
        tuple((LONG, *(1000.5 * at for at in range(10))) for _ in range(40)),
        shown=40,
    )
    long: Page = replace(bars, finding=f"{LONG} and {LONG}", sentences=(LONG * 3,) * 6)
    return replace(
        pack,
        title=f"{LONG}: {LONG}",
        pages=(
            long,
            replace(lines, tables=(wide,)),
            replace(mapped, tables=()),
            replace(told, finding="W" * 200, sentences=("x" * 900,) * 9),
            *(replace(told, finding=f"{at} {LONG}") for at in range(20)),
        ),
        method=pack.method * 12,
        sources=pack.sources * 20,
    )


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_an_office_program_opens_it(tmp_path: Path) -> None:
    """Each slide becomes a page, and its words are on it."""
    pages = pypdf.PdfReader(as_pdf(a_pack(), tmp_path)).pages
    assert len(pages) == 8
    for page, told in zip(pages[BARS:METHOD], a_pack().pages, strict=True):
        assert told.finding in " ".join(page.extract_text().split())


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_as_drawn_no_table_runs_over_what_is_below_it(tmp_path: Path) -> None:
    """Where an office program puts the words: none of a table on the line below it or the footer."""
    rows = tuple((f"Ward {at}", at, "" if at else "said once") for at in range(60))
    columns = (Column("Ward"), Column("Number", 0), Column("Not known because"))
    pack = with_page(tables=(Table("Wards", columns, rows, shown=40),))
    pages = drawn(pack, tmp_path)
    (page,) = [page for page in pages if any("more in the workbook" in text for _, text in page)]
    (more,) = [top for top, text in page if "more in the workbook" in text]
    last = max(top for top, text in page if text.startswith("Ward "))
    footer = min(top for top, text in page if text.startswith("Simulated data:"))
    assert last + 8 < more
    assert more + 8 < footer


def as_pdf(pack: Pack, folder: Path) -> Path:
    lacking = [name for name in ("soffice", "pdftotext") if shutil.which(name) is None]
    if lacking:
        skip_or_fail(f"LibreOffice and Poppler are not both on this machine: no {lacking[0]}")
    file = folder / "pack.pptx"
    file.write_bytes(slides(pack))
    profile = f"-env:UserInstallation={(folder / 'profile').as_uri()}"
    subprocess.run(
        ["soffice", profile, "--headless", "--convert-to", "pdf", "--outdir", folder, file],
        check=True,
        capture_output=True,
        timeout=240,
    )
    return file.with_suffix(".pdf")


def drawn(pack: Pack, folder: Path) -> list[list[tuple[float, str]]]:
    """The top in points and the text of each line, a list a page."""
    told = subprocess.run(
        ["pdftotext", "-bbox-layout", as_pdf(pack, folder), "-"], check=True, capture_output=True
    )
    pages = ElementTree.fromstring(told.stdout).iter("{http://www.w3.org/1999/xhtml}page")
    return [
        [
            (float(line.attrib["yMin"]), " ".join(word.text or "" for word in line))
            for line in page.iter("{http://www.w3.org/1999/xhtml}line")
        ]
        for page in pages
    ]
