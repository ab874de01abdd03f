"""Pages that are made from data and never written by hand: `docs/HAZARDS.md` and `docs/SOUP.md`.

`python -m controller.assembly.papers` says which of them is stale, `--write` makes them anew (`make papers`).
"""

import argparse
import re
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

from controller.assembly.register import SCENARIO, Hazard, Register, shipped

ROOT = Path(__file__).parents[2]
_MADE = "<!-- Made from {source} by `make papers`. Change that, not this. -->"
_SOUP_INTRO = (
    "What runs in the product and was not written for it. Versions are exact, and every file is checked by its hash "
    "when it is installed. None of it runs in the gateway but pyserial; a test looks at the modules of a live gateway. "
    "Before a version is changed: its change log and open faults are read, the whole test run, `make validate` and "
    "`make swarm` are repeated, and recorded sessions are replayed through the guard ([release check list](release.md))"
    ". Beside these: CPython 3.11 to 3.13 and the Linux kernel."
)
_PIN = re.compile(r"^([A-Za-z0-9_.-]+)==([^ \\]+)")
_VIA = re.compile(r"^ +# +(?:via )?(.+)$")
_ASKED_BY = {"-r requirements.build.in": "building the package", "stimloop (pyproject.toml)": "stimloop"}


# -- hazards ----------------------------------------------------------------------------------------------------------


def hazards_page(register: Register) -> str:
    """The register as a page: a table of all, then each hazard with its layers, tests and residual risk."""
    words = ", ".join(f"{number} {word}" for number, word in register.severities.items())
    rows = [f"| [{h.id}](#{_anchor(h)}) | {h.severity} | {h.title} | {len(h.tests)} |" for h in register.hazards]
    parts = [
        "# Hazards",
        _MADE.format(source="`safety/hazards.yaml`"),
        f"Severity: {words}. It is that of the harm without any of the mitigations. Every mitigation is there to be "
        "tested: each hazard names its tests, and the test run fails when one of them is missing. Residual risks are "
        "for the people who decide about the use: see [SAFETY.md](SAFETY.md).",
        "| hazard | severity | what can happen | tests |\n|---|---|---|---|\n" + "\n".join(rows),
        *(_hazard_part(hazard, register.severities[hazard.severity]) for hazard in register.hazards),
    ]
    return "\n\n".join(parts) + "\n"


def _anchor(hazard: Hazard) -> str:
    return re.sub(r"[^a-z0-9 -]", "", f"{hazard.id}: {hazard.title}".lower()).replace(" ", "-")


def _hazard_part(hazard: Hazard, severity: str) -> str:
    layers = "\n".join(f"| {layer} | {what} |" for layer, what in hazard.mitigations)
    tests = "\n".join(f"- {_test(test)}" for test in hazard.tests)
    return (
        f"## {hazard.id}: {hazard.title}\nSeverity {hazard.severity}, {severity}.\n\n"
        f"| layer | mitigation |\n|---|---|\n{layers}\n\nTests:\n{tests}\n\nResidual risk: {hazard.residual}"
    )


def _test(test: str) -> str:
    if test.startswith(SCENARIO):
        return f"`stimloop validate {test.removeprefix(SCENARIO)}`"
    return f"`{test}`"


# -- software of unknown provenance -----------------------------------------------------------------------------------


def soup_page(lock: str, project: str) -> str:
    """The software that runs with the product and that we did not write: name, version, hashes, why, for whom."""
    reasons = _reasons(project)
    rows = [
        f"| {name} | {version} | {hashes} | {reasons.get(_plain(name), 'asked for by ' + ', '.join(via) + '.')} |"
        for name, version, hashes, via in _pins(lock)
    ]
    return (
        "\n\n".join(
            [
                "# Software of unknown provenance",
                _MADE.format(source="`requirements.lock` and `pyproject.toml`"),
                _SOUP_INTRO,
                "| name | version | hashes | why |\n|---|---|---|---|\n" + "\n".join(rows),
            ]
        )
        + "\n"
    )


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _reasons(project: str) -> dict[str, str]:
    """The comment above each dependency of pyproject: the sentence of reason that every one of them has."""
    names = [re.split(r"[<>=!~ \[]", one)[0] for one in tomllib.loads(project)["project"]["dependencies"]]
    found: dict[str, str] = {}
    comment: list[str] = []
    for line in (text.strip() for text in project.splitlines()):
        if line.startswith("# "):
            comment.append(line[2:])
            continue
        named = next((name for name in names if line.startswith(f'"{name}')), None)
        if named is not None:
            found[_plain(named)] = " ".join(comment)
        comment = []
    return found


def _pins(lock: str) -> list[tuple[str, str, int, list[str]]]:
    """(name, version, number of hashes, who asks for it) of each pin of a lock file."""
    pins: list[tuple[str, str, int, list[str]]] = []
    for line in lock.splitlines():
        pin, via = _PIN.match(line), _VIA.match(line)
        if pin:
            pins.append((pin.group(1), pin.group(2), 0, []))
        elif "--hash=" in line and pins:
            name, version, hashes, asked = pins[-1]
            pins[-1] = (name, version, hashes + 1, asked)
        elif via and pins and via.group(1) != "via":
            pins[-1][3].append(_ASKED_BY.get(via.group(1), via.group(1)))
    return pins


# -- all of them ------------------------------------------------------------------------------------------------------


def _soup() -> str:
    return soup_page((ROOT / "requirements.lock").read_text(), (ROOT / "pyproject.toml").read_text())


PAGES: dict[str, Callable[[], str]] = {
    "docs/HAZARDS.md": lambda: hazards_page(shipped()),
    "docs/SOUP.md": _soup,
}


def stale() -> list[str]:
    """The pages that are not what their data say."""
    paths = {name: ROOT / name for name in PAGES}
    return [name for name, path in paths.items() if not path.exists() or path.read_text("utf-8") != PAGES[name]()]


def main() -> int:
    """0: every page is fresh (or has been written). 1: one is stale."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--write", action="store_true", help="make the stale pages anew")
    options = parser.parse_args()
    found = stale()
    for name in found:
        print(f"{name}: {'written' if options.write else 'stale; run `make papers`'}")
        if options.write:
            (ROOT / name).write_text(PAGES[name](), encoding="utf-8")
    return 1 if found and not options.write else 0


if __name__ == "__main__":
    sys.exit(main())
