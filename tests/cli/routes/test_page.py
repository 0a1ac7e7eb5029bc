"""Routes as one page."""

from __future__ import annotations

from html.parser import HTMLParser

from authz.cli.routes.page import page
from tests.cli.routes.test_report import SHOWN


class _Read(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


def test_the_page_fetches_nothing_runs_nothing_and_says_what_its_cells_are() -> None:
    """No script, link or image; policy forbids them too; headings of rows and columns, a caption, a language."""
    reader = _Read()
    text = page(SHOWN)
    reader.feed(text)
    tags = {tag for tag, _ in reader.tags}
    assert tags.isdisjoint({"script", "link", "img", "iframe", "b", "a"})
    assert not any("src" in attributes or "href" in attributes for _, attributes in reader.tags)
    assert ("html", {"lang": "en"}) in reader.tags
    assert "default-src 'none'" in text
    assert {attributes.get("scope") for tag, attributes in reader.tags if tag == "th"} == {"row", "col"}
    assert text.count("<caption>") == 2


def test_what_policies_and_requests_say_is_text() -> None:
    """A tag in an owner's name is shown, not obeyed."""
    assert "&lt;b&gt;" in page(SHOWN)
