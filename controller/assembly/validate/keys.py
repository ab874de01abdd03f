"""The tables of keys in `docs/scenarios.md`, made from the model: `python -m controller.assembly.validate.keys`."""

import sys
from pathlib import Path

from pydantic import BaseModel

from controller.assembly.validate import deed_model, model

BEGIN, END = "<!-- keys: made from the code -->", "<!-- end of keys -->"
PAGE = Path(__file__).resolve().parents[3] / "docs" / "scenarios.md"
PARTS: tuple[tuple[str, type[BaseModel]], ...] = (
    ("The scenario", model.Scenario),
    ("world", model.World),
    ("patient", model.Patient),
    ("set_up", model.SetUp),
    ("A step of the script", model.Step),
    ("attempt", deed_model.Attempt),
    ("sine", deed_model.Sine),
    ("burst", deed_model.Burst),
    ("stroke", deed_model.Stroke),
    ("drift", deed_model.Drift),
    ("torque", deed_model.Torque),
    ("knock", deed_model.Knock),
    ("carry", deed_model.Carry),
    ("gain", deed_model.Gain),
    ("recruitment", deed_model.Recruitment),
    ("load", deed_model.Load),
    ("wear", deed_model.Wear),
    ("A check of expect", model.Check),
)


def tables() -> str:
    """All of them, in Markdown."""
    blocks = []
    for name, part in PARTS:
        rows = ["| key | what |", "|---|---|"]
        for key, field in part.model_fields.items():
            needed = " (needed)" if field.is_required() else ""
            rows.append(f"| `{key}` | {field.description}{needed} |")
        blocks.append(f"### {name}\n" + "\n".join(rows))
    return "\n\n".join(blocks)


def renewed(page: str) -> str:
    """The page with the tables of today."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{tables()}\n{END}{after}"


if __name__ == "__main__":
    PAGE.write_text(renewed(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    sys.exit(0)
