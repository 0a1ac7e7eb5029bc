"""What policies ask of this package when they are loaded: validators, made of what was parsed.

Nothing is read here: whoever asks hands in what finds the files that a schema or a description refers to.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from authz.content.openapi import Api, ApiError, compile_api
from authz.content.openapi.document import Path, Read
from authz.content.schema import Resolve, SchemaError, Validator, compiled
from authz.content.texts import TextsValidator, kinds

Tell = Callable[[str, Path, str, str, tuple[str, ...]], None]
"""Takes what is wrong with a description: the file, the path in it, what, a hint, the words that may stand there."""


class SchemaValidators:
    """Compiles schemas and descriptions of APIs (the `BodyValidators` of policies)."""

    def compile(self, schema: object, resolve: Resolve | None = None) -> Validator:
        """Return the validator of a parsed schema; raise `SchemaError` where it is no JSON Schema 2020-12."""
        return compiled(schema, resolve)

    def compile_texts(self, schema: object, part: str, resolve: Resolve | None = None) -> TextsValidator:
        """Return the validator of named texts (a query, a form, headers, path parameters) against an object schema."""
        validator = compiled(schema, resolve)
        try:
            return TextsValidator(part, kinds(schema, schema), partial(validator.unmet, part=part))
        except LookupError as error:
            raise SchemaError(str(error)) from None

    def compile_api(self, root: object, read: Read, tell: Tell, unchecked: frozenset[str] = frozenset()) -> Api | None:
        """Return the API that an OpenAPI document describes; tell all that is wrong with it, and return nothing then.

        `read` gives what a file says that the document refers to; bodies of `unchecked` media types are taken unread.
        """
        try:
            return compile_api(root, read, unchecked=unchecked)
        except ApiError as error:
            for flaw in error.flaws:
                tell(flaw.file, flaw.path, flaw.message, flaw.hint, flaw.known)
            return None
