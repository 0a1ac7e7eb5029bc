"""`authz demo`: a shop behind a real Envoy, decisions included, in one terminal and without Docker."""

from authz.cli.demo.command import command

__all__ = ["command"]
