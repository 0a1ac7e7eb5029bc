"""Which pages of other origins may call (the Fetch standard's CORS): what a policy says of it."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import Field

from authz.errors import Fault
from authz.policy.codes import Code
from authz.policy.documents.values import Age, Checked, Flag, HeaderName, Maybe, Method, Origin, Some
from authz.policy.source import Mapping, Sequence, Text


class Cors(Checked):
    """Which pages of other origins may call, with what, and whether with the user's credentials."""

    origins: Some[Origin] = Field(
        description='Origins, as browsers send them; "*." for one or more labels, "*" alone for every origin.',
        examples=[["https://app.example.com", "https://*.example.org"], ["*"]],
    )
    methods: Maybe[Some[Method]] = Field(
        default=None, description="Methods that may be called. Left out: GET, HEAD and POST.", examples=[["GET", "PUT"]]
    )
    headers: Maybe[Some[HeaderName]] = Field(
        default=None,
        description="Request headers that pages may send, beyond those every page may.",
        examples=[["content-type", "authorization"]],
    )
    expose: Maybe[Some[HeaderName]] = Field(
        default=None,
        description="Headers of answers that pages may read, beyond those every page may.",
        examples=[["x-authz-decision-id", "retry-after"]],
    )
    credentials: Flag = Field(
        default=False, description="Whether browsers send cookies and other credentials along.", examples=[True]
    )
    max_age: Maybe[Age] = Field(
        default=None,
        description="How long browsers need not ask again. Left out: as they like, which is seconds.",
        examples=["10m"],
    )

    @classmethod
    def conflicts(cls, node: Mapping) -> Iterator[Fault]:
        """Yield a fault where every origin is named beside others, or is to get credentials."""
        origins = node.get("origins")
        every = [one for one in origins if one == "*"] if isinstance(origins, Sequence) else []
        if every and isinstance(every[0], Text):
            if len(origins or ()) > 1:
                yield every[0].fault(Code.TOGETHER, '"*" is every origin, and there are others beside it')
            if node.get("credentials") == "true":
                hint = "name the origins: with every one of them, any page could act as the user"
                yield node.key("credentials").fault(Code.TOGETHER, 'credentials, and "*" for every origin', hint=hint)
        for key in ("methods", "headers", "expose"):
            names = node.get(key)
            for name in names if isinstance(names, Sequence) else ():
                if name == "*" and isinstance(name, Text):
                    yield name.fault(Code.CHOICE, f'"*" means nothing among {key}', hint="name them")
