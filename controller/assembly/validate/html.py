"""The validation report as one HTML page without anything from elsewhere: to be printed, signed and filed."""

from collections.abc import Iterable, Sequence
from html import escape

from controller.assembly.validate.report import Report, Stops
from controller.assembly.validate.run import Result

STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; color: #1b1b1b }
h1 { font-size: 1.6rem } h2 { font-size: 1.2rem; margin-top: 2.2rem; border-bottom: 1px solid #999 }
.verdict { font-size: 2.4rem; font-weight: 700; letter-spacing: .06em }
.pass, .passed { color: #14652b } .fail, .failed { color: #a11212 } .not { color: #6b5200 }
table { border-collapse: collapse; width: 100% } th, td { text-align: left; vertical-align: top; padding: .25rem .5rem }
td, th { border-bottom: 1px solid #ddd } thead { display: table-header-group } tr { break-inside: avoid }
code { font-size: .9em } details { margin: .2rem 0 } .bar { fill: #365f91 } text { font: 11px system-ui, sans-serif }
"""


def page(report: Report) -> str:
    """The page."""
    verdict = "PASS" if report.passed else "FAIL"
    told = report.as_json()
    scenarios, hazards = told["scenarios"], told["hazards"]
    body = [
        "<h1>stimloop: validation report</h1>",
        f'<p class="verdict {verdict.lower()}">{verdict}</p>',
        f"<p>{scenarios['total']} scenarios: {scenarios['passed']} passed, {scenarios['failed']} failed, "
        f"{scenarios['not_yet']} not yet. {hazards['covered']} of {hazards['total']} hazards have a proof. "
        "Simulated devices and a simulated person throughout; research software, not a medical device.</p>",
        "<h2>What was validated</h2>",
        _table(("what", "version"), [(escape(name), _code(value)) for name, value in report.versions.items()]),
        "<h2>Scenarios</h2>",
        *[_scenario(result) for result in report.results],
        "<h2>Stop times</h2>",
        "<p>From the cause to the last pulse at the simulated skin.</p>",
        *[_bars(kind, stops) for kind, stops in report.stops.items()],
        "<h2>Requirements</h2>",
        _requirements(report),
        "<h2>Hazards</h2>",
        _hazards(report),
    ]
    if report.trace.unknown:
        body += ["<h2>Ids that nobody knows</h2>", *[f"<p>{escape(entry)}</p>" for entry in report.trace.unknown]]
    inner = "\n".join(body)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        "<title>stimloop: validation report</title>\n"
        f"<style>{STYLE}</style>\n</head>\n<body>\n{inner}\n</body>\n</html>\n"
    )


def _code(value: str) -> str:
    return f"<code>{escape(value)}</code>"


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    head = "".join(f"<th>{escape(each)}</th>" for each in heads)
    body = "\n".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead>\n<tbody>{body}</tbody></table>"


def _scenario(result: Result) -> str:
    scenario = result.scenario
    rows = []
    for case in result.cases:
        for each in case.found:
            sign = "ok" if each.good else '<b class="fail">FAIL</b>'
            rows.append((escape(case.name), escape(each.check), escape(each.wanted), escape(each.found[:300]), sign))
        rows += [(escape(case.name), "at the skin", "nothing", escape(bad), "FAIL") for bad in case.violations]
    checks = _table(("case", "check", "wanted", "found", ""), rows) if rows else ""
    why = f" Waits for {escape(scenario.waits_for)}." if scenario.waits_for else ""
    remark = f"<p>{escape(scenario.remark)}</p>" if scenario.remark else ""
    return (
        f'<details><summary><b class="{result.verdict.split(" ")[0]}">{escape(result.verdict)}</b> '
        f"{escape(scenario.id)} {escape(scenario.name)} (seed {scenario.seed})</summary>\n"
        f"<p>Given: {escape(scenario.given)}.<br>Expected: {escape(scenario.expected)}.{why}</p>{remark}\n"
        f"<p>{escape(', '.join([*scenario.requirements, *scenario.hazards]))}</p>\n{checks}</details>"
    )


def _requirements(report: Report) -> str:
    rows = []
    for name, requirement in report.trace.requirements.items():
        scenarios = report.trace.scenarios_for(name)
        proofs = ", ".join([*scenarios, *requirement.tests]) or "none"
        rows.append((name, escape(requirement.sentence), ", ".join(requirement.hazards), escape(proofs)))
    return _table(("id", "requirement", "hazards", "scenarios and tests"), rows)


def _hazards(report: Report) -> str:
    rows = []
    for hazard in report.trace.hazards:
        proofs = report.trace.proofs_of(hazard)
        shown = "<br>".join(escape(proof) for proof in proofs) or '<b class="fail">none</b>'
        wanted = [name for name, each in report.trace.requirements.items() if hazard.id in each.hazards]
        rows.append((hazard.id, escape(hazard.title), str(hazard.severity), ", ".join(wanted), shown))
    return _table(("id", "hazard", "severity", "requirements", "proofs"), rows)


def _bars(kind: str, stops: Stops) -> str:
    bins = stops.bins
    most = max(count for _, count in bins)
    parts = []
    for number, (from_ms, count) in enumerate(bins):
        height = round(80 * count / most)
        x = number * 22
        parts.append(f'<rect class="bar" x="{x}" y="{90 - height}" width="18" height="{height}"/>')
        if number % 4 == 0:
            parts.append(f'<text x="{x}" y="104">{from_ms}</text>')
    bound = f", bound {stops.bound_ms:.0f} ms" if stops.bound_ms else ""
    width = max(120, len(bins) * 22)
    return (
        f"<p>{escape(kind)}: {stops.number} stops, longest {stops.longest_ms:.0f} ms{bound}</p>\n"
        f'<svg viewBox="0 0 {width} 108" width="{width}" height="108" role="img">{"".join(parts)}</svg>'
    )
