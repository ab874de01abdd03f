"""`stimloop validate`: the scenario suite, with traceability and a plain PASS or FAIL."""

import argparse
import json
import os
import sys
import time
from pathlib import Path

from controller.session.faults import ProtocolRefused, render


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.add_argument("scenarios", nargs="*", metavar="SCENARIO", help="ids such as S29, or files; default: all")
    parser.add_argument("--junit", type=Path, metavar="FILE", help="write JUnit XML")
    parser.add_argument("--html", type=Path, metavar="FILE", help="write the report as one page")
    parser.add_argument("--json", action="store_true", help="one object on stdout")
    parser.add_argument("--list", action="store_true", help="list the shipped scenarios")
    parser.add_argument("--check", action="store_true", help="read the scenario files and run nothing")
    parser.add_argument("--verbose", action="store_true", help="every check, not only those that failed")
    parser.add_argument("--real", action="store_true", help="those that can, on the real processes in real time")
    parser.add_argument("--stops", type=Path, metavar="FILE", help="JSON of a campaign of stop times to report too")
    parser.add_argument("--jobs", type=int, default=0, metavar="N", help="processes at work (default: one a processor)")


def run(options: argparse.Namespace) -> int:
    """0: PASS. 1: FAIL. 2: the arguments or a file cannot be used."""
    from controller.assembly.validate import run as runs
    from controller.assembly.validate.reader import load_scenario, shipped_scenarios

    try:
        paths = runs.select(options.scenarios, shipped_scenarios())
        scenarios = [load_scenario(path) for path in paths]
    except KeyError as unknown:
        print(f"stimloop validate: there is no scenario {unknown}; --list shows those that there are", file=sys.stderr)
        return 2
    except ProtocolRefused as refused:
        print(render(refused.faults, refused.source), file=sys.stderr)
        return 2
    if options.list or options.check:
        for scenario in scenarios:
            print(f"{scenario.id:<6}{scenario.name}{' (not yet)' if scenario.waits_for else ''}")
        return 0
    return _report(options, paths)


def _report(options: argparse.Namespace, paths: list[Path]) -> int:
    from controller.assembly.validate import real, report
    from controller.assembly.validate import run as runs
    from controller.assembly.validate.html import page
    from controller.assembly.validate.trace import trace

    began = time.perf_counter()
    if options.real:
        paths = [path for path in paths if path.stem in real.REAL]
        if not paths:
            print(f"stimloop validate: on real processes there are {', '.join(real.REAL)}", file=sys.stderr)
            return 2
        results = [real.run_scenario(path) for path in paths]
    else:
        results = []
        for result in runs.run_all(paths, options.jobs or len(os.sched_getaffinity(0))):
            results.append(result)
            if not options.json:
                print(report.headline(result), flush=True)
    try:
        stops = report.stop_times(results, options.stops)
        whole = report.Report(results, trace(results), stops, time.perf_counter() - began)
        if options.junit:
            options.junit.write_text(report.junit(whole), encoding="utf-8")
        if options.html:
            options.html.write_text(page(whole), encoding="utf-8")
    except (OSError, ValueError) as error:
        print(f"stimloop validate: {error}", file=sys.stderr)
        return 2
    print(json.dumps(whole.as_json()) if options.json else report.text(whole, options.verbose))
    return 0 if whole.passed else 1
