"""The brief as a PDF, read back: what stands on it, and what a screen reader is told."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pypdf
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from dashboard.pack.brief_pdf import Brief, Section, area_svg, brief_pdf
from dashboard.pack.typeset import ZERO_WIDTH_SPACE

# Two wards side by side and a third above, at a latitude where a degree is twice as high as wide.
BOUNDS = (0.0, 59.0, 2.0, 61.0)
WARDS = {
    "A": shapely.box(0, 59, 1, 60),
    "B": shapely.box(1, 59, 2, 60),
    "C": shapely.box(0, 60, 2, 61).difference(shapely.box(0.5, 60.2, 1, 60.8)),
}
MAP = area_svg(WARDS, {"A": "#9DC3E6", "B": "#5B1A2E"}, "A", BOUNDS)

SMALL = Brief("Ward A: what to decide", "Thanet, 30 June 2026", [])
FULL = Brief(
    "Cliftonville West: what to decide",
    "Thanet, Kent and Medway, 30 June 2026",
    [
        Section(
            "What there is",
            ["21 of 23 wards have no provision.", "Two wards are served."],
            [("Adults", "6,420"), ("Link workers per 10,000", "0.42")],
        ),
        Section(
            "Services",
            table=(
                ["Service", "Need", "Places"],
                [["Walking group", "Loneliness", "12"], ["Choir", "Loneliness", "*"]],
            ),
        ),
        Section(
            "Referrals by month",
            table=(
                ["Month", "Referred", "Accepted", "Contacted", "Connected"],
                [[f"{month} 2026", "120", "105", "100", "–"] for month in ("Jan", "Feb", "Mar")],
            ),
        ),
        Section("What may help", ["Ask for the scheme areas."]),
    ],
    MAP,
    "Map of three wards",
    ["Sources: scheme-areas.csv", "Disclosure profile nhs. Version 0.1.0."],
    True,
)


def read(brief: Brief) -> pypdf.PdfReader:
    return pypdf.PdfReader(io.BytesIO(brief_pdf(brief)))


def text(brief: Brief) -> str:
    (page,) = read(brief).pages
    return page.extract_text().replace(ZERO_WIDTH_SPACE, "")


def words(brief: Brief) -> str:
    """The text on one line."""
    return " ".join(text(brief).split())


def structure(node: Any) -> Iterator[tuple[str, str]]:
    """Each element for screen readers: what it is, and its alternative text."""
    node = node.get_object()
    if isinstance(node, list):
        for child in node:
            yield from structure(child)
    elif isinstance(node, dict):
        if "/S" in node:
            yield node["/S"], node.get("/Alt", "")
        if "/K" in node:
            yield from structure(node["/K"])


def is_ua(brief: Brief) -> bool:
    return b"<pdfuaid:part>1</pdfuaid:part>" in brief_pdf(brief)


def test_a_full_brief_on_one_page() -> None:
    assert words(FULL) == (
        "Cliftonville West: what to decide Thanet, Kent and Medway, 30 June 2026 "
        "Simulated data: no real people, services or organisations "
        "What there is 21 of 23 wards have no provision. Two wards are served. "
        "Adults 6,420 Link workers per 10,000 0.42 "
        "Services Service Need Places Walking group Loneliness 12 Choir Loneliness * "
        "Referrals by month Month Referred Accepted Contacted Connected "
        "Jan 2026 120 105 100 – Feb 2026 120 105 100 – Mar 2026 120 105 100 – "
        "What may help Ask for the scheme areas. "
        "Sources: scheme-areas.csv Disclosure profile nhs. Version 0.1.0."
    )
    (page,) = read(FULL).pages
    assert [round(float(side)) for side in page.mediabox[2:]] == [595, 842]


def test_what_a_screen_reader_is_told() -> None:
    reader = read(FULL)
    root: Any = reader.trailer["/Root"]
    assert (root["/Lang"], root["/MarkInfo"]["/Marked"]) == ("en-GB", True)
    assert root["/ViewerPreferences"]["/DisplayDocTitle"] == True  # noqa: E712
    assert reader.metadata
    assert reader.metadata.title == "Cliftonville West: what to decide"
    assert is_ua(FULL)
    found = list(structure(root["/StructTreeRoot"]))
    tags = [tag for tag, _ in found]
    assert (tags.count("/H1"), tags.count("/H2")) == (1, 4)
    assert (tags.count("/Table"), tags.count("/TH"), tags.count("/TD")) == (2, 8, 21)
    assert [alt for tag, alt in found if tag == "/Figure"] == ["Map of three wards"]


def test_a_map_without_words_is_a_map_all_the_same() -> None:
    brief = replace(FULL, map_alt="")
    assert is_ua(brief)
    assert ("/Figure", "Map") in structure(read(brief).trailer["/Root"]["/StructTreeRoot"])  # type: ignore[index]


def test_the_same_brief_is_the_same_file() -> None:
    assert brief_pdf(FULL) == brief_pdf(replace(FULL))
    assert brief_pdf(FULL) != brief_pdf(replace(FULL, subtitle="another"))
    # It does not say when it was made, or it would be another each second.
    assert b"CreateDate" not in brief_pdf(FULL)


def test_nothing_but_a_title() -> None:
    assert words(SMALL) == "Ward A: what to decide Thanet, 30 June 2026"
    assert is_ua(SMALL)


@pytest.mark.parametrize(
    ("section", "expected"),
    [
        (Section("Nothing yet"), "Nothing yet"),
        (Section("", ["Only words."]), "Only words."),
        (Section("Rows", table=(["Name", "Number"], [])), "Rows Name Number"),
        (Section("Rows", table=([], [])), "Rows"),
        (Section("Rows", table=(["Name", ""], [["", ""]])), "Rows Name"),
    ],
)
@pytest.mark.parametrize("map_svg", ["", MAP])
def test_little_or_nothing_in_a_section(section: Section, expected: str, map_svg: str) -> None:
    brief = replace(SMALL, sections=[section], map_svg=map_svg)
    assert words(brief) == f"Ward A: what to decide Thanet, 30 June 2026 {expected}"
    assert is_ua(brief)


HOSTILE = [
    '#read("/etc/hostname")',
    "#panic() #{1 + 1} #sys.inputs",
    "*bold* _thin_ $x^2$ `code` \\ = heading - item + item / term: 1. ~ @key <label>",
    "// comment /* comment */ [content] {code} -- --- ... 'one' \"two\"",
    '","title":"other"}',
    "{{ jinja }} %s {0} \\u0041 \\n &amp; <b>",
    "https://example.org/a?b=c#d",
    "*",
]


@pytest.mark.parametrize("hostile", HOSTILE)
def test_text_is_never_markup(hostile: str) -> None:
    brief = Brief(
        hostile,
        hostile,
        [Section(hostile, [hostile], [(hostile, hostile)], ([hostile], [[hostile]]))],
        MAP,
        hostile,
        [hostile],
    )
    squeezed = "".join(text(brief).split())
    assert squeezed == "".join(hostile.split()) * 9
    metadata = read(brief).metadata
    assert metadata
    assert metadata.title == hostile
    assert is_ua(brief)


@pytest.mark.parametrize(
    "name", ["Tŷ Gŵyr, Ŵŷ", "Ysgol Łódź é ñ ß", "café – “quoted” £5 ≥ ½", "Ελλάδα Київ"]
)
def test_letters_of_other_languages(name: str) -> None:
    brief = replace(SMALL, title=name, sections=[Section(name, [name])])
    assert words(brief) == f"{name} Thanet, 30 June 2026 {name} {name}"
    assert is_ua(brief)


def test_a_letter_the_font_lacks_is_a_box() -> None:
    brief = replace(SMALL, sections=[Section("漢字", ["and more"])])
    assert words(brief).endswith("and more")
    assert not is_ua(brief)
    assert "/H2" in dict(structure(read(brief).trailer["/Root"]["/StructTreeRoot"]))  # type: ignore[index]


@pytest.mark.parametrize("sign", ["\x00", "\n", "\t", "\u202e", "\ud800", "\u2028", "\ufffe"])
def test_signs_without_a_picture_are_spaces(sign: str) -> None:
    brief = replace(SMALL, title=f"one{sign}two", sections=[Section("x", [f"a{sign} b"])])
    assert words(brief) == "one two Thanet, 30 June 2026 x a b"
    assert is_ua(brief)


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40))
def test_any_text_makes_a_page(said: str) -> None:
    brief = Brief(f"x{said}", said, [Section(said, [said], [(said, said)])], footer=[said])
    assert len(read(brief).pages) == 1


LONG = "Llanfairpwllgwyngyllgogerychwyrndrobwllllantysiliogogogoch"


@pytest.mark.parametrize("word", [LONG, "W" * 300, f"{LONG}-{LONG}", f"{LONG} " * 5])
def test_long_words_stay_on_the_page(word: str) -> None:
    table = ([word, "Number"], [[word, "1"], ["short", "2"]])
    brief = replace(SMALL, title=word, sections=[Section(word, [word], [(word, word)], table)])
    found = text(brief)
    # As often as it was put in, however it is divided.
    letters = re.sub(r"[\s-]", "", found)
    assert letters.count(re.sub(r"[\s-]", "", word)) == 7
    # A third of the letters that would fill the page at the smallest size.
    assert max(len(line) for line in found.splitlines()) < 60


def test_a_checksum_among_the_sources_is_copied_whole() -> None:
    (page,) = read(replace(SMALL, footer=["SHA-256 " + "ab" * 32])).pages
    assert "ab" * 32 in page.extract_text()


@pytest.mark.slow
def test_text_becomes_smaller_until_it_fits() -> None:
    def rows(number: int) -> Brief:
        table = (["Service", "Places"], [[f"Service {n}", str(n)] for n in range(number)])
        return replace(SMALL, sections=[Section("Services", table=table)])

    def sizes(brief: Brief) -> set[float]:
        found = set()

        def visit(text: str, _: Any, __: Any, ___: Any, size: float) -> None:
            found.add(size)

        read(brief).pages[0].extract_text(visitor_text=visit)
        return found

    assert max(sizes(rows(60))) < max(sizes(rows(10)))
    assert "Service 59 59" in words(rows(60))
    with pytest.raises(ValueError, match="what one page holds"):
        brief_pdf(rows(200))


def test_rows_of_another_length_are_refused() -> None:
    brief = replace(SMALL, sections=[Section("Rows", table=(["One", "Two"], [["1"]]))])
    with pytest.raises(ValueError, match="2 cells under 'Rows'"):
        brief_pdf(brief)


def test_real_data_has_no_band() -> None:
    assert "Simulated" not in text(replace(FULL, is_simulated=False))


def test_a_map_by_hand() -> None:
    """600 wide for two degrees of half the width: 300 a degree, and 600 a degree of latitude."""
    line = 'stroke="#AEB7BD" stroke-width="0.8"/>'
    by_hand = (
        '<svg xmlns="http://www.w3.org/2000/svg" width="600" height="1200">'
        '<clipPath id="frame"><rect width="600" height="1200"/></clipPath>'
        '<g clip-path="url(#frame)" stroke-linejoin="round">'
        '<path d="M600.0,1200.0 600.0,600.0 300.0,600.0 300.0,1200.0 600.0,1200.0Z" '
        f'fill="#5B1A2E" fill-rule="evenodd" {line}'
        '<path d="M0.0,600.0 0.0,0.0 600.0,0.0 600.0,600.0 0.0,600.0Z'
        'M300.0,120.0 150.0,120.0 150.0,480.0 300.0,480.0 300.0,120.0Z" '
        f'fill="none" fill-rule="evenodd" {line}'
        '<path d="M300.0,1200.0 300.0,600.0 0.0,600.0 0.0,1200.0 300.0,1200.0Z" '
        'fill="#9DC3E6" fill-rule="evenodd" stroke="#10181D" stroke-width="3"/>'
        "</g></svg>"
    )
    assert by_hand == MAP


def test_a_map_leaves_out_what_is_elsewhere_or_nowhere() -> None:
    far = {"D": shapely.box(5, 59, 6, 60), "E": shapely.Polygon()}
    assert area_svg({**WARDS, **far}, {"A": "#9DC3E6", "B": "#5B1A2E"}, "A", BOUNDS) == MAP
    islands = shapely.MultiPolygon([WARDS["A"], shapely.box(1.5, 60, 2, 61)])
    assert area_svg({"A": islands}, {}, "", BOUNDS).count("Z") == 2
    assert area_svg({}, {}, "", BOUNDS).count("<path") == 0


def test_a_colour_is_only_a_colour() -> None:
    found = area_svg({"A": WARDS["A"]}, {"A": '"/><script>'}, "A", BOUNDS)
    assert "<script>" not in found
