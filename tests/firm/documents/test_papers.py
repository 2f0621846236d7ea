"""Papers of any kind: their bytes, their form, and people's text in them."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from html.parser import HTMLParser
from types import MappingProxyType
from typing import Any

import pytest

from firm.documents import papers
from firm.documents.papers import UnknownPaper
from firm.errors import Refused
from tests.firm.documents.reading import catalog, letters, opened, pages, words
from tests.firm.documents.samples import (
    FIRM,
    funded_work_report,
    remittance_advice,
    self_billed_invoice,
    statement,
    statement_2,
)

Sample = Callable[[], dict[str, Any]]
SAMPLES: list[Sample] = [statement, statement_2, funded_work_report, remittance_advice, self_billed_invoice]
TITLES = (
    "Statement for October 2026",
    "Statement for October 2026",
    "Funded work in October 2026",
    "Remittance advice",
    "Self-billed invoice",
)
TRICKS = [
    "<script>alert(1)</script>",
    "{{7*7}}",
    "{% raw %}",
    '#read("/etc/passwd")',
    "#eval(1+1)",
    "](javascript:alert(1))",
    "*bold* _slanted_ `raw` $x^2$",
    "= Heading // comment /* more */ \\ @ref <label> ~ ---",
    "\"quoted\" & 'quoted' &amp;",
]


@pytest.mark.parametrize("sample", SAMPLES)
def test_the_same_figures_give_the_same_bytes_in_any_process(sample: Sample) -> None:
    program = (
        "import hashlib, json, sys\n"
        "from firm.documents import papers\n"
        "figures = json.load(sys.stdin)\n"
        "for render in (papers.pdf, papers.html, papers.json_bytes):\n"
        "    print(hashlib.sha256(render(figures)).hexdigest())\n"
    )
    figures = sample()
    # Other figures in between must leave no trace in the compiler that is kept.
    here = [_sha256(render(figures)) for render in (papers.pdf, papers.html, papers.json_bytes)]
    papers.pdf(statement(number="S-2026-0999"))
    again = [_sha256(render(figures)) for render in (papers.pdf, papers.html, papers.json_bytes)]
    there = subprocess.run(
        [sys.executable, "-c", program], input=json.dumps(figures), capture_output=True, text=True, check=True
    )
    assert here == again == there.stdout.split()


@pytest.mark.parametrize("sample", SAMPLES)
def test_a_pdf_is_archival_tagged_and_titled(sample: Sample) -> None:
    content = papers.pdf(sample())
    root, about = catalog(content), opened(content).metadata
    metadata = root["/Metadata"].get_object().get_data().decode()
    assert "<pdfaid:part>3</pdfaid:part>" in metadata
    assert "<pdfaid:conformance>A</pdfaid:conformance>" in metadata
    assert "<pdfuaid:part>1</pdfuaid:part>" in metadata
    assert root["/MarkInfo"]["/Marked"]
    assert "/StructTreeRoot" in root
    assert root["/Lang"] == "en"
    assert root["/ViewerPreferences"]["/DisplayDocTitle"]
    assert about is not None
    assert about.title in TITLES
    assert about.author == "Lovelace Maintainers"
    assert str(about.creation_date) == "2026-11-01 00:00:00+00:00"


@pytest.mark.parametrize("sample", SAMPLES)
def test_every_font_is_embedded_and_none_is_the_system_s(sample: Sample) -> None:
    fonts = set()
    for page in opened(papers.pdf(sample())).pages:
        resources: Any = page["/Resources"]
        for font in resources["/Font"].get_object().values():
            [descendant] = font.get_object()["/DescendantFonts"]
            described = descendant.get_object()["/FontDescriptor"].get_object()
            assert {"/FontFile2", "/FontFile3"} & described.keys()
            fonts.add(re.sub(r"^/?[A-Z]{6}\+", "", described["/FontName"]))
    assert {font.partition("-")[0] for font in fonts} == {"SourceSansPro"}


@pytest.mark.parametrize("trick", TRICKS)
def test_people_s_text_is_shown_and_never_obeyed(trick: str) -> None:
    for figures in _with_text_everywhere(trick):
        content = papers.pdf(figures)
        assert re.sub(r"\s+", "", trick) in letters(content)
        page = _Page(papers.html(figures))
        assert trick in page.text
        assert not page.tags & {"script", "img", "iframe", "link", "object", "form"}
        assert page.links == []


def test_an_html_paper_stands_alone() -> None:
    for sample in SAMPLES:
        source = papers.html(sample()).decode()
        page = _Page(source.encode())
        assert not page.tags & {"script", "img", "link", "iframe"}
        assert "url(" not in source
        assert "@import" not in source
        assert "src=" not in source
        assert "default-src 'none'" in source


@pytest.mark.parametrize("unshowable", ["\x00", "\x1b", "\x7f", "\x9b", "\ud800", "\uffff", "\u202e", "\u2066"])
def test_what_cannot_be_shown_is_replaced(unshowable: str) -> None:
    for figures in _with_text_everywhere(f"Gra{unshowable}ce"):
        assert "Gra\ufffdce" in letters(papers.pdf(figures))
        page = papers.html(figures).decode()
        assert "Gra\ufffdce" in page
        assert unshowable not in page
        assert json.loads(papers.json_bytes(figures)) == figures


def test_line_breaks_in_a_name_become_spaces() -> None:
    for figures in _with_text_everywhere("Grace\r\nBrewster\u2028Hopper"):
        assert "Grace Brewster Hopper" in words(papers.pdf(figures))
        assert "Grace Brewster Hopper" in papers.html(figures).decode()


@pytest.mark.parametrize(
    "name", ["Зоя Космодемьянская", "Ελένη Παπαδοπούλου", "Đặng Thị Ngọc", "שלום", "हिन्दी", "Łukasz Żółć"]
)
def test_names_that_our_fonts_can_show_stay_archival(name: str) -> None:
    content = papers.pdf(statement(maintainer={"name": name, "address": []}))
    assert "pdfaid" in catalog(content)["/Metadata"].get_object().get_data().decode()
    assert set(name.replace(" ", "")) <= set(letters(content))
    assert "/EmbeddedFiles" not in catalog(content).get("/Names", {})


@pytest.mark.parametrize("name", ["李小龍", "Ada 🎉", "สมชาย", "👩‍🚀", "\ue000"])
def test_a_name_that_no_font_can_show_is_spelled_out_and_attached(name: str) -> None:
    figures = statement(maintainer={"name": name, "address": []})
    content = papers.pdf(figures)
    for character in name:
        assert character in letters(content) or f"{ord(character):X}" in letters(content)
    assert f"{ord(name[-1]):X}" in letters(content)
    [attached] = opened(content).attachments["figures.json"]
    assert json.loads(attached) == figures
    assert "pdfaid" in catalog(content)["/Metadata"].get_object().get_data().decode()
    assert name in papers.html(figures).decode()
    assert papers.pdf(figures) == content


def test_a_pdf_that_stays_refused_as_archive_becomes_an_ordinary_one(monkeypatch: pytest.MonkeyPatch) -> None:
    from firm.documents import typesetting

    # Typst may find another reason to refuse than a character: a standard that no paper of ours meets stands for it.
    monkeypatch.setattr(typesetting, "ARCHIVAL", ["a-3a", "a-4"])
    content = papers.pdf(statement())
    assert content.startswith(b"%PDF-1.7")
    assert "/StructTreeRoot" in catalog(content)
    assert "Grace Hopper" in words(content)


@pytest.mark.parametrize(
    ("name", "shown"),
    [("Wolfeschlegelsteinhausenbergerdorff" * 286, "Wolfe"), ("Grace " * 1_667, "Grace"), ("龍" * 90, "9F8D")],
    ids=["a word", "words", "signs that no font of ours has"],
)
def test_a_name_without_end_is_broken_over_lines(name: str, shown: str) -> None:
    whole = statement(maintainer={"name": name, "address": []})
    assert letters(papers.pdf(whole)).count(shown) == name.count(name[: 1 if "龍" in name else 5])
    assert name.strip() in papers.html(whole).decode()
    for figures in (whole, *_with_text_everywhere(name[:700])):
        # pypdf ends a line where the paper does: text that ran off it would be one line of hundreds of letters.
        assert max(len(line) for page in pages(papers.pdf(figures)) for line in page.splitlines()) < 250


def test_papers_may_be_made_by_many_threads_at_once() -> None:
    alone = {number: papers.pdf(statement(number=number)) for number in ("S-2026-0001", "S-2026-0002")}
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda number: (number, papers.pdf(statement(number=number))), [*alone] * 8))
    assert all(alone[number] == content for number, content in together)


@pytest.mark.parametrize(
    "color", ["red", "#12345", "#ffffff;} body{display:none", 'rgb("x")', None, "#ffee00", "#FFFFFF"]
)
def test_a_color_that_is_none_or_too_light_is_made_readable(color: object) -> None:
    figures = statement(firm=FIRM | {"color": color})
    assert papers.pdf(figures).startswith(b"%PDF")
    accent = re.search(r"--accent: (\S+);", papers.html(figures).decode())
    assert accent is not None
    assert re.fullmatch(r"#[0-9a-f]{6}", accent[1])
    assert sum(int(accent[1][at : at + 2], 16) for at in (1, 3, 5)) < 500


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "invoice"},
        {"kind": None},
        {"kind": ["statement"]},
        {"template": 3},
        {"template": True},
        {"template": "1"},
    ],
)
def test_a_paper_of_an_unknown_kind_or_version_is_refused_in_a_sentence(wrong: dict[str, object]) -> None:
    for render in (papers.pdf, papers.html):
        with pytest.raises(UnknownPaper, match=r"There is no template for .* update this program\."):
            render(statement(**wrong))
    assert issubclass(UnknownPaper, Refused)


def test_json_is_canonical() -> None:
    assert papers.json_bytes({"b": "ü", "a": [1, None]}) == '{"a":[1,null],"b":"ü"}\n'.encode()
    with pytest.raises(ValueError):
        papers.json_bytes({"a": float("nan")})


def test_figures_are_only_read() -> None:
    figures = funded_work_report()
    before = json.dumps(figures)
    papers.html(MappingProxyType(figures))
    papers.pdf(figures)
    assert json.dumps(figures) == before


def test_importing_papers_does_not_import_typst() -> None:
    program = (
        "import sys; from firm.documents import papers; sys.exit('typst' in sys.modules or 'jinja2' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


class _Page(HTMLParser):
    """The elements, links and text of an HTML page."""

    def __init__(self, source: bytes) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.links: list[str] = []
        self.text = ""
        self.feed(source.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.links += [value or "" for name, value in attrs if name in ("href", "src")]

    def handle_data(self, data: str) -> None:
        self.text += data


def _with_text_everywhere(text: str) -> list[dict[str, Any]]:
    """Every paper with the text in every place that people write."""
    paid, report = statement(maintainer={"name": text, "address": [text]}), funded_work_report()
    paid["earnings"] = [one | {"package": text, "explanation": text} for one in paid["earnings"][:1]]
    paid["payouts"] = [one | {"rail": text, "reference": text} for one in paid["payouts"][:1]]
    adjusted = statement_2(maintainer={"name": text, "address": [text]}, payouts=[])
    adjusted["earnings"] = [one | {"package": text, "explanation": text} for one in adjusted["earnings"][:1]]
    adjusted["adjustments"] = [one | {"package": text, "reason": text} for one in adjusted["adjustments"][:1]]
    adjusted["unpaid"] = [one | {"reason": text} for one in adjusted["unpaid"][:1]]
    [package] = report["packages"][1:2]
    package |= {"name": text, "reason": text, "people": [text], "releases": [], "work": []}
    package["security"] = [{"id": text, "summary": text, "on": None, "url": text, "ours": False}]
    report |= {"tier": text, "packages": [package], "service": {"advice": [], "meetings": []}}
    report["client"] = {"name": text, "address": [text]}
    firm = FIRM | {"name": text, "address": [text], "email": text}
    mine = {"firm": firm}
    return [paid | mine, adjusted | mine, report | mine, _advice_with(text, firm), _invoice_with(text, firm)]


def _advice_with(text: str, firm: dict[str, Any]) -> dict[str, Any]:
    advice = remittance_advice(firm=firm, maintainer={"name": text, "address": [text]})
    lines = [line | {"kind": "other", "text": text} for line in advice["lines"][:1]]
    return advice | {"payee": text, "reference": text, "rail": text, "run": text, "lines": lines}


def _invoice_with(text: str, firm: dict[str, Any]) -> dict[str, Any]:
    party = {"name": text, "address": [text], "vat_id": text}
    invoice = self_billed_invoice(firm=firm, supplier=party, customer=party)
    lines = [line | {"package": text, "explanation": text} for line in invoice["lines"][:1]]
    vat = {"treatment": "small-business", "rate_bp": None, "exemption": text}
    credits = {"number": text, "issued_on": "2026-11-01", "reason": text}
    return invoice | {"lines": lines, "vat": vat, "credits": credits, "statement": text}


def _sha256(content: bytes) -> str:
    return sha256(content).hexdigest()
