"""Scenario files: the forty that are shipped, what is said of wrong ones, and the page that explains them."""

import re
from pathlib import Path

import pytest

from controller.assembly.validate import keys, trace
from controller.assembly.validate.reader import load_protocol, load_scenario, read_scenario, shipped_scenarios
from controller.assembly.validate.run import select
from controller.session.faults import ProtocolRefused

pytestmark = pytest.mark.hazard("H11", "H13", "H14")

GOOD = """stimloop_scenario: 1
id: X-1
name: x
given: a
expected: b
requirements: [REQ-STOP-1]
hazards: [H18]
script:
  - {when: train, wait: 500 ms, name: stop, press: stop}
expect:
  - {last_pulse: "<= 100 ms", after: stop}
"""
WRONG: dict[str, tuple[str, str, str]] = {
    "a key that is not one": ("wait: 500 ms", "wiat: 500 ms", '9:19  error KEY001  "wiat"'),
    "a check that is not one": ("last_pulse", "last_puls", 'did you mean "last_pulse"?'),
    "two deeds": ("press: stop", "press: stop, rate: 20 Hz", "a step does one thing"),
    "no deed": (", press: stop", "", "a step does one thing"),
    "no moment": ("when: train, ", "", "a step has one of at and when"),
    "a moment that is not one": ("when: train", "when: trian", 'did you mean "train"?'),
    "a wrong unit": ("500 ms", "500 mA", '"500 mA" is no time'),
    "no unit": ("500 ms", "500", '"500" is no time'),
    "a range that ends before it begins": ('"<= 100 ms"', "2 s to 1 s", "ends before it begins"),
    "not a number": ("500 ms", "nan ms", "is no time"),
    "a negative time": ("500 ms", "-500 ms", "is not above 0"),
    "a key of the screen that is not one": ("press: stop", "press: stp", 'did you mean "stop"?'),
    "a fault that is not one": ("press: stop", "fault: dorp", "There is no fault"),
    "a name that no step has": ("after: stop", "after: halt", 'a check speaks of "halt"'),
    "no name for what is counted from it": (", after: stop", "", "last_pulse is counted from a step"),
    "nothing expected": ('  - {last_pulse: "<= 100 ms", after: stop}\n', "", "expect"),
    "an id in small letters": ("id: X-1", "id: x1", "is no id"),
    "another version": ("stimloop_scenario: 1", "stimloop_scenario: 2", "not a version of the grammar"),
    "a missing key": ("given: a\n", "", '"given" is missing'),
    "a key twice": ("name: x", "name: x\nname: y", "stands twice"),
    "an anchor": ("name: x", "name: &a x", "is an anchor"),
    "a merge key": ("name: x", "<<: {a: b}\nname: x", "merge key"),
    "a list for a text": ("name: x", "name: [x]", "one value is expected"),
    "a text for a list": ("hazards: [H18]", "hazards: H18", "a list"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_file_is_refused_with_its_place_and_a_fix(case: str) -> None:
    before, after, told = WRONG[case]
    assert before in GOOD
    with pytest.raises(ProtocolRefused) as refused:
        read_scenario(GOOD.replace(before, after).encode(), "my.yaml")
    assert told in str(refused.value)
    assert re.search(r"my\.yaml:\d+:\d+  error [A-Z]{3}\d{3}", str(refused.value))
    assert all(fault.fix for fault in refused.value.faults)


@pytest.mark.parametrize("data", [b"", b"\0", b"\xff\xfe", b"- 1", b"[" * 10_000, b"a: b\n" * 60_000, b"x: *y"])
def test_hostile_files_are_refused(data: bytes) -> None:
    with pytest.raises(ProtocolRefused):
        read_scenario(data)


def test_the_good_file_is_good() -> None:
    scenario = read_scenario(GOOD.encode())
    assert scenario.script[0].wait == 0.5
    assert scenario.expect[0].last_pulse is not None


def test_the_forty_are_there_and_can_be_read() -> None:
    scenarios = [load_scenario(path) for path in shipped_scenarios()]
    assert [each.id for each in scenarios] == [f"S{number:02d}" for number in range(1, 41)]
    assert [each.id for each in scenarios if each.waits_for] == ["S35"]
    assert all(path.stem == each.id for path, each in zip(shipped_scenarios(), scenarios, strict=True))
    known = trace.requirements()
    named = {one for each in scenarios for one in each.requirements}
    assert named == set(known)


def test_a_change_passes_every_check_of_protocols() -> None:
    wrong = GOOD.replace("script:", "change: {channels.extensors.amplitude: 20 A}\nscript:")
    with pytest.raises(ProtocolRefused, match="UNT001"):
        load_protocol(read_scenario(wrong.encode()))
    wrong = GOOD.replace("script:", "change: {attempt.dwel: 20 ms}\nscript:")
    with pytest.raises(ProtocolRefused, match="KEY001"):
        load_protocol(read_scenario(wrong.encode()))


def test_scenarios_are_chosen_by_id_or_path(tmp_path: Path) -> None:
    shipped = shipped_scenarios()
    assert select(["s29", "S40"], shipped) == [shipped[28], shipped[39]]
    assert select([], shipped) == shipped
    assert select([str(tmp_path / "a.yaml")], shipped) == [tmp_path / "a.yaml"]
    with pytest.raises(KeyError):
        select(["S99"], shipped)


def test_the_page_has_the_keys_of_the_code() -> None:
    page = keys.PAGE.read_text(encoding="utf-8")
    assert keys.renewed(page) == page, "renew it: python -m controller.assembly.validate.keys"
