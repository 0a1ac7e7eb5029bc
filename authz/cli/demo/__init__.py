"""`authz demo`: everything in one terminal, without Docker."""
