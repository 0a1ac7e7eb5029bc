"""The fuzzer is scripts that import each other by plain name: their folder is on the path of their tests too."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1] / "bench")]
