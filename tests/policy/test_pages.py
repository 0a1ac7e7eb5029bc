"""Where a value may stand in a page: a value is never markup."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz.policy import pages

HOLE = object()


def unsafe(page: str) -> list[int]:
    """Return the holes (`@`) of a page where escaping is not enough."""
    pieces: list[str | object] = []
    for number, text in enumerate(page.split("@")):
        pieces += [HOLE, text] if number else [text]
    return pages.unsafe([piece for piece in pieces if piece != ""])


@pytest.mark.parametrize(
    "page",
    [
        "<h1>@</h1>",
        "@",
        "a < b @ c",
        "<title>@</title><textarea>@</textarea>",
        '<input value="@"><input value=\'a @ b\' data-x="@" aria-label="@"/>',
        '<a href="/login?next=@">@</a><a href="https://example.com/@#@">x</a><a href="?page=@">x</a>',
        '<img alt="@" src="/pictures/@.png"><form action="/to/@">',
        "<script>let x = 1 < 2</script><style>p {}</style><!-- a --><p>@",
        "<svg><path d='M0'/></svg>@",
        "&lt;@&amp;@",
    ],
)
def test_a_value_may_stand_in_text_and_in_quoted_text_attributes(page: str) -> None:
    """What fills such a place stays what its author meant it to be."""
    assert unsafe(page) == []


@pytest.mark.parametrize(
    "page",
    [
        "<script>@</script>",
        '<script>let user = "@"</script>',
        "<style>@</style>",
        "<!-- @ -->",
        "<@>",
        "</@>",
        "<@ href='/'>",
        "<p @>",
        "<p @='x'>",
        "<p title=@>",
        '<p title=="@">',
        '<p onclick="@">',
        '<p style="@">',
        '<iframe srcdoc="@"></iframe>',
        '<a href="@">x</a>',
        '<a href="//@">x</a>',
        '<a href="/@">x</a>',
        '<a href="https://@">x</a>',
        '<a href="https://example.com@">x</a>',
        '<a href="javascript:f(@)">x</a>',
        '<script src="/a/@"></script>',
        '<base href="https://example.com/@">',
        '<meta http-equiv="refresh" content="0;@">',
        "<noscript>@</noscript>",
        "<svg>@</svg>",
        "<svg><svg></svg>@</svg>",
        "<iframe>@</iframe>",
        '<p title="@',
        "<!doctype @>",
        "<?@?>",
        "<![CDATA[@]]>",
        "<plaintext>@",
        "<template>@</template>",
    ],
)
def test_a_value_may_not_stand_where_escaping_is_not_enough(page: str) -> None:
    """Scripts, styles, comments, names, handlers, unquoted attributes, where a URL leads, and tags that never close."""
    assert unsafe(page) == [0]


def test_each_place_is_judged_on_its_own() -> None:
    """One hole at fault does not hide or taint the others."""
    assert unsafe("<p>@</p><script>@</script><p title='@' onclick='@'>@</p>") == [1, 3]


@given(st.text())
def test_an_escaped_value_is_text(value: str) -> None:
    """A parser finds no tag and no other attribute in what a value was written as."""
    seen: list[tuple[str, list[tuple[str, str | None]]]] = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            seen.append((tag, attrs))

    written = pages.escape(value)
    reader = Reader()
    reader.feed(f'<p title="{written}">{written}</p>')
    reader.close()
    assert [(tag, [name for name, _ in attrs]) for tag, attrs in seen] == [("p", ["title"])]
