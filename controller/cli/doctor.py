"""`stimloop doctor`: looks at this machine and says what to do."""

import argparse
import json
from collections import Counter

from controller.assembly import doctor, doctor_ports, pedals
from controller.assembly.doctor import Check, Finding, Level


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.add_argument("--json", action="store_true", help="one object on stdout")


def run(options: argparse.Namespace) -> int:
    """0: no faults. 1: at least one."""
    findings = doctor.examine(checks())
    counts = Counter(finding.level for finding in findings)
    faults, notes = counts[Level.FAULT], counts[Level.NOTE]
    if options.json:
        told = [finding.as_dict() for finding in findings]
        print(json.dumps({"ok": not faults, "faults": faults, "notes": notes, "findings": told}))
    else:
        for finding in findings:
            print(render(finding))
        print(f"\n{_count(faults, 'fault')}, {_count(notes, 'note')}.")
    return 1 if faults else 0


def checks() -> dict[str, Check]:
    """All checks in the order of the report, by the name that stands there when one cannot be made."""
    return {
        "system": doctor.system,
        "Python": doctor.python,
        "versions": doctor.versions,
        "self-test": doctor.own_test,
        "authorisation": doctor.authorisation,
        "processors": doctor.processors,
        "clock": doctor.clock,
        "runtime folder": doctor.runtime,
        "data folder": doctor.data_folder,
        "terminal": lambda: doctor.terminal(doctor.terminal_size()),
        "serial ports": doctor_ports.serial_ports,
        "latency timer": doctor_ports.latency_timers,
        "FitMi dongle": doctor_ports.fitmi_dongles,
        "FitMi scales": doctor_ports.fitmi_scales,
        "foot pedal": pedals.check_pedals,
    }


def render(finding: Finding) -> str:
    """`note   serial ports    none`, and what to do in a line below."""
    line = f"{finding.level:<7}{finding.name:<16}{finding.text}"
    return f"{line}\n{'':<23}> {finding.todo}" if finding.todo else line


def _count(number: int, word: str) -> str:
    return f"{number or 'no'} {word}{'' if number == 1 else 's'}"
