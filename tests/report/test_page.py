"""The page as HTML: self-contained, escaped, readable without seeing; and its files for a paper."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
from report_pages import HOSTILE, N, gap, metric, opening, page

from bgs import BgsError
from bgs.reports import (
    OBSERVERS,
    FigureBlock,
    Page,
    Section,
    Table,
    TripletBlock,
    write_artifacts,
    write_page,
)
from bgs.reports.artifacts import latex, table_csv, table_latex
from bgs.reports.pictures import contact_sheet, data_uri, jpeg, media_type, natural_width
from bgs.reports.svg import inline_svg
from bgs.reports.triplets import TripletClip, TripletSpec
from bgs.reports.write import cell_text, page_html, provenance_rows

_VOID = {"meta", "link", "img", "br", "path", "circle", "rect", "image", "use", "stop"}


class Reader(HTMLParser):
    """Elements with their attributes, the text, and whether every element is closed."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.open: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in _VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        if tag not in _VOID:
            assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture(scope="module")
def html() -> str:
    return page_html(page())


@pytest.fixture(scope="module")
def read(html) -> Reader:
    return Reader(html)


def test_every_element_is_closed_and_ids_are_unique(read):
    assert read.open == []
    ids = [attributes["id"] for _, attributes in read.elements if "id" in attributes]
    assert len(ids) == len(set(ids)) > 20


def test_nothing_is_fetched(html, read):
    for tag, attributes in read.elements:
        for name in ("src", "href", "xlink:href", "srcset", "poster", "data", "action"):
            address = attributes.get(name)
            assert not address or address.startswith(("#", "data:")), (tag, address[:80])
    for address in re.findall(r"url\(([^)]*)\)", html):
        assert address.startswith("#"), address
    assert "@import" not in html
    assert {tag for tag, _ in read.elements} & {"iframe", "object", "embed", "base", "form"} == set()
    policy = next(meta["content"] for meta in read.all("meta") if "http-equiv" in meta)
    assert "default-src 'none'" in policy


def test_references_inside_the_page_lead_somewhere(html, read):
    ids = {attributes["id"] for _, attributes in read.elements if "id" in attributes}
    wanted = {a["href"][1:] for _, a in read.elements if (a.get("href") or "").startswith("#")}
    wanted |= set(re.findall(r"url\(#([^)]+)\)", html))
    assert wanted <= ids
    assert {"gap", "geometry", "parts", "triplets", "provenance"} <= wanted


def test_text_from_data_cannot_become_markup(read):
    assert len(read.all("script")) == 1
    text = "".join(read.text)
    assert f"A page {HOSTILE}" in text
    assert f"clip-3 {HOSTILE}" in text  # the tooltip of a clip on a map


def test_every_figure_says_in_words_what_it_shows(read):
    for picture in read.all("img"):
        assert picture["alt"]
    figures = [a for a in read.all("svg") if a.get("aria-hidden") != "true"]
    assert figures
    assert all(a["role"] == "img" and a["aria-label"] for a in figures)
    assert any("captions 0.130" in a["aria-label"] for a in figures)


def test_the_banner_stands_on_top_and_above_every_section_on_paper(html, read):
    assert html.index("SIMULATED") < html.index("<h1")
    assert len(read.all("section")) == 5
    assert html.count('<p class="on-paper">SIMULATED') == 5
    quiet = page_html(Page("t", "", "", (), {}))
    assert 'class="banner"' not in quiet
    assert "Nothing was recorded" in quiet


def test_contents_table_and_provenance(read):
    text = re.sub(r"\s+", " ", " ".join(read.text))
    assert "First paragraph. Second paragraph." in text
    assert (
        text.count("Tuning raised agreement with people from .10 to .30") == 2
    )  # at a glance and in its section
    assert ".310 [.210, .410]" in text
    assert "undefined n/a" in text
    assert "bgs evaluate --seed 0" in text
    assert "clips.n 12" in text
    assert "ff" * 32 in text
    numbers = [a for a in read.all("th") if a.get("class") == "number"]
    assert len(numbers) == 2


def test_triplets_show_strips_and_who_left_what_out(html, read):
    strips = [a for a in read.all("img") if a["src"].startswith("data:image/jpeg")]
    assert len(strips) == 9
    for who in ("people", "base", "tuned"):
        assert html.count(f'<li class="chip {who}">') == 3
    assert html.count("clip chosen") == 6


def test_sixty_clips_stay_below_three_megabytes(tmp_path):
    path = tmp_path / "page.html"
    write_page(page(60), path)
    assert path.stat().st_size < 3_000_000
    assert [p.name for p in tmp_path.iterdir()] == ["page.html"]


def test_writing_again_gives_the_same_bytes(html):
    assert page_html(page()) == html


def test_a_picture_from_elsewhere_is_never_markup():
    svg = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><script>alert(1)</script></svg>'
    text = page_html(Page("t", "", "", (Section("k", "t", "s", (FigureBlock(svg, "c", "alt"),)),)))
    assert "alert(1)" not in text
    assert f'src="{data_uri(svg)}"' in text
    with pytest.raises(BgsError, match="alternative text"):
        FigureBlock(svg, "c")
    with pytest.raises(BgsError, match="cannot show"):
        page_html(Page("t", "", "", (Section("k", "t", "s", (FigureBlock(b"GIF89a", "c", "alt"),)),)))


def test_ids_of_an_inline_svg_are_its_own():
    svg = (
        b'<?xml version="1.0"?><!-- c --><svg width="9pt" viewBox="0 0 9 9"><title>t</title><g id="a"/>'
        b'<use href="#a" fill="url(#a)"/><a href="x#a"/><text>id="a" url(#a)</text></svg>'
    )
    assert inline_svg(svg, "f", 'say "x"') == (
        '<svg viewBox="0 0 9 9" role="img" aria-label="say &quot;x&quot;"><g id="f-a" />'
        '<use href="#f-a" fill="url(#f-a)" /><a href="x#a" /><text>id="a" url(#a)</text></svg>'
    )


@pytest.mark.parametrize(
    ("head", "width"),
    [
        (b'viewBox="0 0 90 9"', 90), (b'viewBox="0,0, 90,9" width="90pt"', 120), (b'width="90pt"', 0),
        (b"viewBox='0 0 30 9' width='30'", 30),
    ],
)  # fmt: skip
def test_the_width_of_an_svg(head, width):
    assert natural_width(b"<svg " + head + b"/>") == width


@pytest.mark.parametrize(
    ("svg", "message"),
    [
        (b"<svg><g></svg>", "not a well-formed SVG: mismatched tag"), (b"<svg>\xff</svg>", "not a well-formed SVG"),
        (b'<svg viewBox="0 0 wide 9"/>', "viewBox is not four numbers; got 0 0 wide 9"),
    ],
)  # fmt: skip
def test_an_svg_from_elsewhere_that_is_none(svg, message):
    with pytest.raises(BgsError, match=message):
        page_html(Page("t", "", "", (Section("k", "t", "s", (FigureBlock(svg, "c", "alt"),)),)))


def test_jpeg():
    data = jpeg(np.zeros((4, 6, 3), dtype=np.uint8))
    assert media_type(data) == "image/jpeg"


def test_specs_refuse_what_cannot_be_shown():
    with pytest.raises(BgsError, match=r"row 2.*expected 2 cells, got 1"):
        Table("t", ("a", "b"), (("x", 1), ("y",)))
    with pytest.raises(BgsError, match="lower-case"):
        Section("../x", "t", "s")
    same = Section("a", "t", "s")
    with pytest.raises(BgsError, match="a key of its own"):
        Page("t", "", "", (same, same))
    with pytest.raises(BgsError, match="a key of its own"):
        Page("t", "", "", (Section("provenance", "t", "s"),))


def test_columns_of_numbers():
    table = Table("t", ("a", "b", "c", "d"), (("x", 1, metric(0.2), "1st"), ("y", None, 0.5, "2nd")), (3,))
    assert table.numeric == (False, True, True, True)
    assert Table("t", ("a",), ()).numeric == (False,)
    assert [cell_text(c) for c in (None, 1225, 0.5, "x", metric(0.2))] == [
        "",
        "1,225",
        ".500",
        "x",
        ".200 [.100, .300]",
    ]


def test_provenance_is_flat_below_its_headings():
    assert provenance_rows({"a": 1, "b": {"c": None, "d": {"e": [1, "x"]}}}) == [
        ("", [("a", "1")]), ("b", [("c", "–"), ("d.e", "1, x")]),
    ]  # fmt: skip


def test_csv_holds_full_numbers_and_their_intervals():
    table = page().sections[0].tables[0]
    rows = list(csv.reader(io.StringIO(table_csv(table))))
    assert rows[0] == ["model", "rho", "rho low", "rho high", "n"]
    assert rows[1] == [HOSTILE, "0.31", repr(0.31 - 0.1), repr(0.31 + 0.1), "1225"]
    assert rows[2] == ["undefined", "", "", "", ""]


def test_latex_is_escaped():
    assert latex("50 % of $x_1$ & {y} \\ ~ ^ #") == (
        r"50 \% of \$x\_1\$ \& \{y\} \textbackslash{} \textasciitilde{} \textasciicircum{} \#"
    )
    assert latex(metric(-0.05)) == "$-$.050 [$-$.150, .050]"
    assert latex("[a]") == "{[a]}"
    text = table_latex(page().sections[0].tables[0], "gap-1")
    assert r"\begin{tabular}{lrr}" in text
    assert all(rule in text for rule in (r"\toprule", r"\midrule", r"\bottomrule", r"\label{tab:gap-1}"))
    assert r"undefined & n/a &  \\" in text


def test_artifacts(tmp_path):
    whole = page()
    picture = jpeg(np.zeros((4, 6, 3), dtype=np.uint8))
    small = Page(
        "t", "", "",
        (
            Section("gap", "t", "s", (FigureBlock(gap(), "c"), FigureBlock(picture, "c", "alt")), whole.sections[0].tables),
            whole.sections[3],
        ),
    )  # fmt: skip
    written = write_artifacts(small, tmp_path)
    names = [path.relative_to(tmp_path).as_posix() for path in written]
    assert names == [
        "figures/gap-1.svg", "figures/gap-1.png", "figures/gap-2.jpg", "tables/gap-1.csv", "tables/gap-1.tex",
        "tables/triplets-triplets-1.csv", "tables/triplets-triplets-1.tex",
        "figures/triplets-triplets-1-1.jpg", "figures/triplets-triplets-1-2.jpg",
    ]  # fmt: skip
    assert sorted(names) == sorted(p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*.*"))
    assert (tmp_path / "figures/gap-2.jpg").read_bytes() == picture
    rows = list(
        csv.DictReader(io.StringIO((tmp_path / "tables/triplets-triplets-1.csv").read_text(encoding="utf-8")))
    )
    assert len(rows) == 2
    assert rows[0]["left out by people"] == rows[0]["left out by tuned"] != rows[0]["left out by base"]
    assert int(rows[0]["clip 1"].removeprefix("clip-")) < N


def test_the_contents_show_the_first_of_several_sentences():
    html = page_html(Page("T", "", "", (Section("a", "A", "Headline.\n\nThe rest."),)))
    contents = html[html.index("<nav") : html.index("</nav>")]
    assert "Headline." in contents
    assert "The rest." not in contents
    assert '<p class="sentence">The rest.</p>' in html


def test_tables_after_the_first_are_folded():
    tables = tuple(Table(name, ("x",), ((1,),)) for name in ("one", "two", "three"))
    html = page_html(Page("T", "", "", (Section("a", "A", "S.", tables=tables),)))
    assert "2 more tables" in html
    assert (
        html.index("</b> one")
        < html.index("2 more tables")
        < html.index("</b> two")
        < html.index("</b> three")
    )
    Reader(html)
    assert "more table" not in page_html(Page("T", "", "", (Section("a", "A", "S.", tables=tables[:1]),)))


def test_triplets_without_clips_are_text_and_observers_are_observers(tmp_path):
    clips = tuple(TripletClip(f"clip-{k}", None, f"Caption {k}.") for k in range(3))
    spec = TripletSpec(clips, {"people": 0, "base": 1, "tuned": 0}, "one observer chose so")
    sections = (Section("t", "T", "S.", triplets=(TripletBlock("Repaired", "R.", (spec,)),)),)
    seen = Page("T", "", "", sections, words=OBSERVERS)
    html = page_html(seen)
    assert "<img" not in html
    assert "Caption 1." in html
    assert "who chose it as the odd one out" in html
    assert not re.search(r">\s*people\s*<", html)
    written = write_artifacts(seen, tmp_path)
    assert {path.suffix for path in written} == {".csv", ".tex"}
    assert "left out by observers" in (tmp_path / "tables/t-triplets-1.csv").read_text()
    assert spec.describe(OBSERVERS).endswith(
        "observers left out clip-0; base left out clip-1; tuned left out clip-0"
    )


def test_a_contact_sheet_has_white_between_its_pictures():
    from PIL import Image

    sheet = contact_sheet(np.zeros((2, 3, 16, 16, 3), np.uint8), gap=8)
    pixels = np.asarray(Image.open(io.BytesIO(sheet)))
    assert pixels.shape == (40, 64, 3)
    assert pixels[8, 8].max() < 20
    assert pixels[20, 8].min() > 235


def test_the_page_opens_with_the_example_and_the_headline(html, read):
    places = [html.index(mark) for mark in ("<h1", 'id="opening"', 'id="headline"', 'class="lead"', "<nav")]
    assert places == sorted(places)
    text = re.sub(r"\s+", " ", " ".join(read.text))
    odd = opening().triplet.odd
    assert f"3 of 4 people: clip {'ABC'[odd['people']]}." in text
    assert f"Base model: clip {'ABC'[odd['base']]}, disagrees with people." in text
    assert f"Tuned model: clip {'ABC'[odd['tuned']]}, agrees with people." in text
    assert "By a rule." in text
    rings = [a["style"] for a in read.all("figure") if "style" in a]
    assert len(rings) == 6
    assert all(
        ("var(--people)" in ring and "var(--tuned)" in ring) or "var(--base)" in ring for ring in rings
    )


def test_an_opening_needs_everybody():
    whole = opening()
    with pytest.raises(BgsError, match="no tuned"):
        replace(whole, names={"people": "people", "base": "base"})
    with pytest.raises(BgsError, match="no base"):
        replace(whole, triplet=replace(whole.triplet, odd={"people": 0, "tuned": 1}))
    assert "disagrees with people. Tuned model" in whole.describe()


def test_no_line_ends_before_a_per_cent_sign():
    html = page_html(Page("T", "95 % of 5 %.", "", (Section("a", "A", "A 95 % interval."),)))
    assert "95\N{NO-BREAK SPACE}% of 5\N{NO-BREAK SPACE}%." in html
    assert html.count("A 95\N{NO-BREAK SPACE}% interval.") == 2


def test_the_first_screen_is_among_the_files(tmp_path):
    whole = replace(page(), sections=())
    names = [path.relative_to(tmp_path).as_posix() for path in write_artifacts(whole, tmp_path)]
    assert names == [
        "tables/opening.csv", "tables/opening.tex", "figures/opening-1.jpg", "figures/headline.svg", "figures/headline.png",
    ]  # fmt: skip
