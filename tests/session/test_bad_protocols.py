"""Every wrong protocol is refused with its line, its rule and a fix; all faults of a file are shown together."""

import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from controller.drivers.stimulators.p24 import P24_LIMITS
from controller.session.attempts import attempt_settings
from controller.session.faults import Fault, ProtocolRefused, render
from controller.session.fields import POINT_US_MIN
from controller.session.loader import load, load_bytes
from controller.session.resolve import resolve
from controller.session.rules import RULES

PIECES = [
    "{",
    "}",
    "[",
    "]",
    ": ",
    "- ",
    "\n",
    "? ",
    "&a ",
    "*a",
    "!x ",
    '"',
    "'",
    "| \n",
    "# ",
    "\t",
    ", ",
    "---\n",
    "% ",
]
UNITS = [
    ("amplitude: 25 mA", "amplitude: 25,0 mA"),
    ("amplitude: 25 mA", "amplitude: 25 ma"),
    ("amplitude: 25 mA", "amplitude: 25 MA"),
    ("amplitude: 25 mA", "amplitude: nan mA"),
    ("amplitude: 25 mA", "amplitude: inf mA"),
    ("amplitude: 25 mA", "amplitude: 9**9**9 mA"),
    ("amplitude: 25 mA", "amplitude: 25"),
    ("amplitude: 25 mA", "amplitude: 20 mA + 5 mA"),
    ("amplitude: 25 mA", "amplitude: -25 mA"),
    ("amplitude: 25 mA", "amplitude: " + "9" * 100_000 + " mA"),
    ("frequency: 35 Hz", "frequency: 35 deg/s"),
    ("frequency: 35 Hz", "frequency: 30 rpm"),
    ("pulse_width: 250 us", "pulse_width: 250 mA"),
    ("ramp_up: 500 ms", "ramp_up: 500 m"),
]
RULED = [
    ("pulse_width: 250 us", "pulse_width: 250 ms", ("UNT001", "UNT002")),
    ("amplitude: 25 mA", "amplitude: 45.5 mA", ("SAF001",)),
    ("pulse_width: 250 us", "pulse_width: 351 us", ("SAF002",)),
    ("pulse_width: 250 us", "pulse_width: 10 us", ("SAF002",)),
    ("frequency: 35 Hz", "frequency: 60 Hz", ("SAF003",)),
    ("ramp_up: 500 ms", "ramp_up: 100 ms", ("SAF005",)),
    ("ramp_up: 500 ms", "ramp_up: 249 ms", ("SAF005",)),
    ("region: forearm", "region: forarm", ("KEY006",)),
    ("after 5 s: hold", "after 11 s: hold", ("SAF007",)),
    ("then: {angle >= 30 deg: hold, after 5 s: hold}", "then: {angle >= 30 deg: hold}", ("SAF009",)),
    ("then: {after 2 s: release}", "then: {after 2 s: asist}", ("ACT001",)),
    ("{attempt: assist, after 6 s: missed}", "{atempt: assist, after 6 s: missed}", ("ACT004",)),
    ("{attempt: assist, after 6 s: missed}", "{attempt: assist, angle > 6 s: missed}", ("UNT001",)),
    ("{attempt: assist, after 6 s: missed}", "{button foot: assist, after 6 s: missed}", ("ACT004",)),
    ("{attempt: assist, after 6 s: missed}", "{button  pedals: assist, after 6 s: missed}", ("ACT004",)),
    ("{attempt: assist, after 6 s: missed}", "{button: assist, button : missed}", ("KEY002",)),
    ("after 5 s: hold", "touch: hold, after 5 s: hold", ("ACT017",)),
    ("after 5 s: hold", "button touch or angle > 3 deg: hold, after 5 s: hold", ("ACT017",)),
    ("{after 2 s: release}", "{load >= 2 N and after 1 s: release, after 2 s: release}", ("ACT017",)),
    ("{attempt: assist, after 6 s: missed}", "{attempt: assist, after 0 s: missed}", ("ACT004",)),
    ("{attempt: assist, after 6 s: missed}", "{attempt: assist, attempt: missed}", ("KEY002",)),
    ("{attempt: assist, after 6 s: missed}", "{attempt: assist, after 6 s: missed, after 7 s: rest}", ("ACT014",)),
    ("{attempt: assist, after 6 s: missed}", "{attempt: assist, after 6 s: missed, after 6000 ms: rest}", ("ACT011",)),
    ("stimulate: {extensors: 100 %}", "stimulate: {extensor: 100 %}", ("ACT006",)),
    ("stimulate: {extensors: 100 %}", "stimulate: {extensors: 101 %}", ("UNT002",)),
    ("stimulate: {extensors: 100 %}", "stimulate: {extensors: }", ("KEY004",)),
    ("stimulate: {extensors: 100 %}", "stimulate: {extensors: {follow: angle, from: 60 deg, to: 0 deg}}", ("UNT002",)),
    ("stimulate: {extensors: 100 %}", "stimulate: {extensors: {follow: angel, from: 0 deg, to: 1 deg}}", ("KEY006",)),
    ("prompt: Hold", "orthosis: {move_to: open}", ("ACT009",)),
    ("        then: {after 2 s: release}\n", "", ("ACT003",)),
    ("        counts: repetition\n", "", ("ACT007",)),
    ("activity: lift_hand\n  rep", "activity: lift_hnd\n  rep", ("ACT012",)),
    ("repetitions: 60", "repetitions: 0", ("UNT002",)),
    ("repetitions: 60", "repetitions: 1e2", ("UNT001",)),
    ("stimloop: 1", "stimloop: 2", ("KEY007",)),
    ("position: seated\n", "", ("KEY003",)),
    ("position: seated", "position: sitting", ("KEY006",)),
    ("position: seated", "position: ", ("KEY006", "KEY004")),
    ("name: Wrist extension, cued", "nmae: Wrist extension, cued", ("KEY001",)),
    ("min_rate: 50 Hz", "min_rate: 49 Hz", ("UNT002",)),
    ("min_rate: 50 Hz", "min_rate: 49.999 Hz", ("UNT002",)),
    ("min_rate: 50 Hz", "min_rate: 1001 Hz", ("UNT002",)),
    ("dwell: 50 ms", "excursion: -1 deg", ("UNT002",)),
    ("dwell: 50 ms", "excursion: 181 deg", ("UNT002",)),
    ("pulse_width: 250 us", "pulse_width: 250 us\n    interphase: 9 us", ("UNT002",)),
    ("pulse_width: 250 us", "pulse_width: 250 us\n    interphase: 1 us", ("UNT002",)),
    ("min_rate: 50 Hz", "on: 50 Hz", ("KEY001",)),
    ("min_rate: 50 Hz", "min_rate: {a: 1}", ("KEY004",)),
    ("  extensors:\n", "  Extensors:\n", ("KEY005",)),
    ("      hold:\n", "      off:\n", ("KEY005",)),
    ("      hold:\n", "      stopped:\n", ("KEY005",)),
    ("floor: 5 deg/s", "floor: 4 deg/s", ("UNT002",)),
    ("blanking: 1 s", "blanking: 100 ms", ("UNT002",)),
    ("window: 6 s", "self_paced: yes", ("KEY006",)),
    ("calibration:\n", "calibration:\n  <<: x\n", ("YML010",)),
]


def show(caught: ProtocolRefused) -> str:
    return "\n".join(f"{fault.where} {fault.rule} {fault.message} | {fault.fix}" for fault in caught.faults)


def first_difference(old: str, new: str) -> int:
    return next(n for n, (a, b) in enumerate(zip(old.split("\n"), new.split("\n"), strict=False), 1) if a != b)


@pytest.mark.parametrize(("old", "new"), UNITS, ids=lambda text: text[:40])
def test_a_quantity_that_is_not_one_is_refused_on_its_line(cued, changed, refused, old, new):
    text = changed(old, new)
    began = time.perf_counter()
    caught = refused(text)
    print(f"{new[:40]}: {(time.perf_counter() - began) * 1000:.1f} ms")
    (fault,) = caught.faults
    assert fault.rule == "UNT001", show(caught)
    assert fault.line == first_difference(cued, text)
    assert fault.column == text.split("\n")[fault.line - 1].index(": ") + 3
    assert fault.fix


@pytest.mark.parametrize(("old", "new", "rules"), RULED, ids=[f"{n}-{new[:30]}" for n, (_, new, _) in enumerate(RULED)])
def test_a_wrong_protocol_is_refused_by_its_rule(changed, refused, old, new, rules):
    caught = refused(changed(old, new))
    assert any(fault.rule in rules for fault in caught.faults), show(caught)
    assert all(fault.fix and fault.message and fault.rule in RULES for fault in caught.faults)


@pytest.mark.parametrize(
    ("old", "new", "fix"),
    [
        ("min_rate: 50 Hz", "min_rate: 20 Hz", "write 50 Hz to 1000 Hz"),
        ("dwell: 50 ms", "excursion: -5 deg", "write 0 deg to 180 deg"),
        ("pulse_width: 250 us", "interphase: 5 us\n    pulse_width: 250 us", "write 0 us, or at least 10 us"),
    ],
)
def test_what_detector_or_unit_would_not_take_is_refused_on_its_line(cued, changed, refused, old, new, fix):
    text = changed(old, new)
    (fault,) = refused(text).faults
    assert (fault.rule, fault.line, fault.fix) == ("UNT002", first_difference(cued, text), fix)


@pytest.mark.parametrize("holder", ["cued", "without"])
def test_the_sample_rate_is_bounded_with_and_without_attempts(cued, refused, holder):
    """`min_rate` is the detector's, and its bounds hold for a protocol that looks for no attempt as well."""
    text = cued
    if holder == "without":
        text = text[: text.index("attempt:\n")] + text[text.index("calibration:\n") :]
        text = text.replace("{attempt: assist, after 6 s: missed}", "{button: assist, after 6 s: missed}", 1)
        load_bytes(text.encode(), "p.yaml")
    (fault,) = refused(text.replace("min_rate: 50 Hz", "min_rate: 49 Hz", 1)).faults
    assert fault.rule == "UNT002"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("min_rate: 50 Hz", "min_rate: 1000 Hz"),
        ("dwell: 50 ms", "excursion: 0 deg"),
        ("dwell: 50 ms", "excursion: 180 deg"),
        ("pulse_width: 250 us", "pulse_width: 250 us\n    interphase: 0 us"),
        ("pulse_width: 250 us", "pulse_width: 250 us\n    interphase: 10 us"),
    ],
)
def test_the_bounds_themselves_are_taken_and_make_settings(changed, load_text, old, new):
    protocol = load_text(changed(old, new)).protocol
    assert attempt_settings(protocol.attempt, protocol.puck).min_rate_hz == protocol.puck.rate_mhz_min / 1000


def test_the_shortest_pause_is_the_shortest_point_of_the_unit():
    assert P24_LIMITS.pulse_width_us_min == POINT_US_MIN


def test_a_value_above_the_cap_names_the_cap_its_source_and_what_fits(cued, changed, refused):
    text = changed("amplitude: 25 mA", "amplitude: 60 mA")
    faults = {fault.rule: fault for fault in refused(text).faults}
    assert set(faults) == {"SAF001", "SAF004", "SAF005"}
    assert "60 mA" in faults["SAF001"].message
    assert "the cap of forearm is 45 mA" in faults["SAF001"].message
    assert "awaiting clinical sign-off" in faults["SAF001"].message
    assert faults["SAF001"].fix == "at most 45 mA"
    assert faults["SAF001"].line == first_difference(cued, text)
    assert faults["SAF004"].fix == "at most 233 us at 60 mA"


def test_small_electrodes_are_refused_with_the_area_that_fits(changed, load_text, refused):
    (fault,) = refused(changed("electrode_area: 25 cm2", "electrode_area: 3 cm2")).faults
    assert fault.rule == "SAF006"
    area = fault.fix.split("at least ")[1].split(" cm2")[0]
    assert load_text(changed("electrode_area: 25 cm2", f"electrode_area: {area} cm2"))


def test_on_as_a_key_stays_text_and_the_fix_says_why(changed, refused):
    (fault,) = refused(changed("  placement: back", "  on: true\n  placement: back")).faults
    assert fault.rule == "KEY001"
    assert '"on"' in fault.message
    assert "1.1" in fault.fix
    assert "min_rate" in fault.fix


def test_a_condition_beside_then_is_told_where_it_belongs(changed, refused):
    (fault,) = refused(
        changed("        then: {after 2 s: release}", "        after 2 s: release\n        then: rest")
    ).faults
    assert fault.rule == "KEY001"
    assert fault.fix.startswith("conditions stand under `then`: {after 2 s: phase}")


def test_a_misspelt_key_gets_the_nearest_known_one(changed, refused):
    faults = refused(changed("pulse_width: 250 us", "puls_widht: 250 us")).faults
    unknown = next(fault for fault in faults if fault.rule == "KEY001")
    assert unknown.fix == 'did you mean "pulse_width"?'
    missing = next(fault for fault in faults if fault.rule == "KEY003")
    assert '"pulse_width" is missing' in missing.message


def test_keys_of_a_follow_are_known_too(changed, refused):
    text = changed("{extensors: 100 %}", "{extensors: {follow: angle, form: 0 deg, to: 9 deg}}")
    faults = refused(text).faults
    assert next(fault for fault in faults if fault.rule == "KEY001").fix == 'did you mean "from"?'


def test_all_faults_of_a_file_are_shown_together_in_order(changed, refused):
    text = changed("amplitude: 25 mA", "amplitude: 25 ma").replace("region: forearm", "region: arm")
    text = text.replace("repetitions: 60", "repetitions: many").replace("dwell: 50 ms", "dwel: 50 ms")
    caught = refused(text)
    assert [fault.rule for fault in caught.faults] == ["KEY006", "UNT001", "KEY001", "UNT001"]
    assert [fault.line for fault in caught.faults] == sorted(fault.line for fault in caught.faults)


def test_a_duplicate_key_is_refused_with_both_places(changed, refused):
    text = changed("    region: forearm", "    channel: 2\n    region: forearm")
    (fault,) = refused(text).faults
    assert fault.rule == "KEY002"
    first = next(n for n, line in enumerate(text.split("\n"), 1) if "channel: 1" in line)
    assert f"line {first}" in fault.message
    assert fault.line > first


def test_movement_needs_a_puck_and_an_attempt_needs_its_section(cued, refused):
    puck = cued[cued.index("puck:") : cued.index("channels:")]
    attempt = cued[cued.index("attempt:\n") : cued.index("calibration:")]
    without_puck = refused(cued.replace(puck, ""))
    assert {fault.rule for fault in without_puck.faults} == {"ACT005"}
    assert any("attempt needs a puck" in fault.message for fault in without_puck.faults)
    (fault,) = refused(cued.replace(attempt, "")).faults
    assert fault.rule == "ACT005"
    assert "window: 6 s" in fault.fix


def test_a_phase_that_nothing_leads_to_is_refused(changed, refused):
    text = changed("      missed:\n", "      lonely:\n        then: rest\n      missed:\n")
    (fault,) = refused(text).faults
    assert (fault.rule, fault.message) == ("ACT002", 'phase "lonely" is never reached from "rest"')
    assert text.split("\n")[fault.line - 1].strip() == "lonely:"


def test_current_in_a_circle_is_refused_and_the_circle_is_named(changed, refused):
    text = changed("{after 2 s: release}", "{after 2 s: release, angle < 5 deg: assist}")
    (fault,) = refused(text).faults
    assert fault.rule == "SAF008"
    assert "assist > hold > assist" in fault.message


def test_phases_that_pass_at_once_in_a_circle_are_refused(changed, refused):
    text = changed("        at_least: 2 s       # time to read it\n", "").replace(
        "        at_least: 4 s       # more than half of the longest burst (7 s and its ramp): muscle needs the pause\n"
        "        until: {quiet: 1 s}\n        then: cue\n",
        "        then: {done: release, attempt: cue}\n",
    )
    faults = refused(text).faults
    assert "ACT010" in {fault.rule for fault in faults}


def test_at_least_without_a_way_that_waits_for_it_is_refused(changed, refused):
    text = changed("        then: {after 2 s: release}", "        at_least: 1 s\n        then: {after 2 s: release}")
    (fault,) = refused(text).faults
    assert fault.rule == "ACT013"


def test_two_names_on_one_channel_are_refused(cued, refused):
    block = cued[cued.index("  extensors:\n") : cued.index("attempt:\n")]
    (fault,) = refused(cued.replace(block, block + block.replace("extensors:", "flexors:", 1))).faults
    assert fault.rule == "SAF010"


def test_more_phases_than_sixty_four_are_refused(changed, refused):
    more = "".join(f"      p{n}:\n        then: {{after 1 s: rest}}\n" for n in range(70))
    (fault,) = refused(changed("session:\n", "").replace("activity: lift_hand\n  rep", "").rsplit("\n  ", 1)[0] + "\n"
                       + more + "session: {activity: lift_hand, repetitions: 1}\n").faults  # fmt: skip
    assert fault.rule == "ACT008"


def test_a_path_that_is_long_because_of_branches_is_still_quick_and_right(changed, refused, load_text):
    rows = []
    for n in range(28):
        following = f"d{n + 1}" if n < 27 else "rest"
        rows.append(
            f"      d{n}:\n        stimulate: {{extensors: 10 %}}\n"
            f"        then: {{angle > {n} deg: {following}, button key: e{n}, after 200 ms: e{n}}}\n"
            f"      e{n}:\n        stimulate: {{extensors: 10 %}}\n        then: {{after 200 ms: {following}}}\n"
        )
    text = changed("      missed:\n", "".join(rows) + "      missed:\n").replace("after 6 s: missed", "after 6 s: d0")
    text = text.replace("attempt: assist", "attempt: assist, touch: missed")
    assert load_text(text)
    slower = refused(text.replace("after 200 ms: e3}", "after 2 s: e3}")).faults
    assert [fault.rule for fault in slower] == ["SAF007"]
    assert "cap of forearm is 12000 ms" in slower[0].message


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_file_with_any_damage_is_accepted_or_refused_and_nothing_else(cued, data):
    """Cut, doubled or overwritten anywhere: the loader answers with faults inside the file, never with a surprise."""
    begin = data.draw(st.integers(0, len(cued)))
    end = data.draw(st.integers(begin, min(len(cued), begin + 60)))
    junk = data.draw(st.one_of(st.just(cued[begin:end] * 2), st.text(max_size=8), st.sampled_from(PIECES)))
    text = cued[:begin] + junk + cued[end:]
    faults, shown = (), ""
    try:
        resolve(load_bytes(text.encode("utf-8", "surrogatepass"), "p.yaml"), {})
    except ProtocolRefused as refusal:
        faults, shown = refusal.faults, str(refusal)
    assert all(fault.rule in RULES and fault.message and fault.fix for fault in faults)
    assert all(1 <= fault.line <= len(text.splitlines()) + 1 and fault.column >= 1 for fault in faults)
    assert all(fault.rule in shown for fault in faults)


@pytest.mark.parametrize("name", ["missing.yaml", "\0", "."])
def test_a_file_that_cannot_be_read(tmp_path, name):
    with pytest.raises(ProtocolRefused) as caught:
        load(name if name == "\0" else tmp_path / name)
    assert [fault.rule for fault in caught.value.faults] == ["YML001"]


def test_hostile_files_are_refused(refused):
    bomb = "\n".join(['a: &a ["lol"]'] + [f"b{n}: &b{n} [*a, *a, *a]" for n in range(30)])
    hostile = {
        "alias bomb": bomb, "1 MB of nesting": "[" * 1_000_000, "200 KB of nesting": "[" * 200_000,
        "200 KB of braces": "{a: " * 50_000, "200 KB of keys": "".join(f"k{n}: 1\n" for n in range(20_000)),
        "empty": "", "zeros": "\0" * 1000,
    }  # fmt: skip
    for words, text in hostile.items():
        began = time.perf_counter()
        caught = refused(text)
        print(f"{words}: {(time.perf_counter() - began) * 1000:.1f} ms, {caught.faults[-1].rule}")
        assert caught.faults[-1].rule.startswith("YML"), words


def test_faults_look_like_those_of_a_compiler(changed, refused):
    text = changed("    amplitude: 25 mA   ", "    amplitude: 25,0 mA ")
    caught = refused(text)
    lines = str(caught).split("\n")
    fault = caught.faults[0]
    assert lines[0] == f"p.yaml:{fault.line}:16  error UNT001  {fault.message}"
    assert lines[1].startswith(f"{fault.line:4d} |     amplitude: 25,0 mA")
    assert lines[2] == "     | " + " " * 15 + "^^"
    assert lines[3] == f"  fix: {fault.fix}"


def test_what_is_shown_cannot_move_the_cursor_or_flood_the_screen():
    faults = [Fault("p\x1b[2J.yaml", 1, 3000, "UNT001", "m", "f")] * 80
    shown = render(faults, "x" * 5000)
    assert "\x1b" not in shown
    assert max(len(line) for line in shown.split("\n")) < 160
    assert shown.endswith("... and 30 more")
