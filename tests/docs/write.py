"""Write what the documentation generates: `make docs`. Tests compare the references with what this writes.

The picture of the demo is what the demo printed when this ran; it needs the extra `demo`.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import tour
from rich.console import Console
from rich.text import Text

from authz.cel.reference import reference as cel
from authz.cli.codes import reference as codes
from authz.config.reference import reference as settings
from authz.policy.schema import schema

ROOT = Path(__file__).parents[2]
DEMO = ["make", "demo", "DEMO_ARGS=--exit-after-check"]
VOCABULARY = ROOT / "protos" / "authz" / "v1" / "vocabulary.proto"
FONT_FACE = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)  # a picture fetches nothing: the reader's monospace will do
COLOURS = {"ok": "green", "FAIL": "bold red", "#": "dim", "curl": "cyan", "for": "cyan"}


def main() -> int:
    """Write the references and the picture; return the demo's own exit code."""
    (ROOT / "authz/cel/docs/reference.md").write_text(cel(VOCABULARY.read_text()))
    (ROOT / "authz/cli/docs/settings.md").write_text(settings())
    (ROOT / "authz/cli/docs/codes.md").write_text(codes())
    for kind, one in {"policy": schema(), "test": schema("PolicyTest")}.items():
        (ROOT / "policies/schema" / f"{kind}.schema.json").write_text(json.dumps(one, indent=2) + "\n")
    with TemporaryDirectory() as folder:
        tour.PAGE.write_text(tour.performed(tour.PAGE.read_text(), Path(folder)))
    done = subprocess.run(DEMO, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
    (ROOT / "authz/cli/docs/demo.svg").write_text(picture(done.stdout))
    return done.returncode


def picture(output: str) -> str:
    """Draw a terminal with what the demo printed, from where Envoy answers."""
    shown = output[output.index("Envoy answers on") :].strip()
    with Path("/dev/null").open("w") as nowhere:
        console = Console(record=True, width=112, file=nowhere)
        console.print(Text(f"$ {' '.join(DEMO)}\n", style="bold"))
        for line in shown.splitlines():
            console.print(Text(line.replace(str(ROOT) + "/", ""), style=COLOURS.get(line.split(" ")[0], "")))
        return FONT_FACE.sub("", console.export_svg(title="envoy-cel-authz", unique_id="demo"))


if __name__ == "__main__":
    sys.exit(main())
