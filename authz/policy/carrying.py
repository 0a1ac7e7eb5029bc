"""What an answer carries, compiled: the forms of a body, and how a cookie is written.

Faults are noted in the terms of the document; `compiling` puts what is made here into its rules.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from authz.policy import template
from authz.policy.documents.grammar import plain
from authz.policy.representations import ACCEPT, HTML, JSON, TEXT, Representation, Tree
from authz.policy.source import Mapping, Sequence, Text

if TYPE_CHECKING:
    from authz.policy.documents import Body, Cookie
    from authz.policy.source import Node
    from authz.policy.terms import Terms


def forms(written: Body, label: str, terms: Terms) -> tuple[Representation, ...]:
    """Return the forms of a body, those first that a caller without a preference gets."""
    made = []
    if written.json_value is not None:
        made.append(Representation(media_type=JSON, content=Tree(root=_tree(written.json_value, label, terms))))
    if written.text is not None:
        made.append(Representation(media_type=TEXT, content=template.text(written.text, label, terms)))
    if written.html is not None:
        made.append(Representation(media_type=HTML, content=template.page(written.html, label, terms)))
    if len(made) > 1:
        terms.also_read("request.headers", ACCEPT)
    return tuple(made)


def attributes(cookie: Cookie) -> str:
    """Return what follows the value of a cookie (RFC 6265, section 4.1.1)."""
    said = [f"Path={cookie.path}"]
    if cookie.max_age is not None:
        said.append(f"Max-Age={cookie.max_age}")
    if cookie.domain is not None:
        said.append(f"Domain={cookie.domain}")
    if cookie.secure:
        said.append("Secure")
    if cookie.http_only:
        said.append("HttpOnly")
    return "".join(f"; {attribute}" for attribute in (*said, f"SameSite={cookie.same_site}"))


def _tree(node: Node, label: str, terms: Terms) -> object:
    if isinstance(node, Mapping):
        return {str(key): _tree(value, label, terms) for key, value in node.items()}
    if isinstance(node, Sequence):
        return [_tree(item, label, terms) for item in node]
    return template.value(node, label, terms) if isinstance(node, Text) else plain(node)
