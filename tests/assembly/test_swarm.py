"""The swarm: seeded worlds with everything that can go wrong, judged at skin and joint; and that it can fail."""

import json
import os
from dataclasses import replace

import pytest

from controller.assembly import swarm
from controller.assembly.swarm_plan import Act, draw, draw_for
from controller.assembly.swarm_prepared import in_a_copy, worlds
from controller.assembly.swarm_world import SwarmWorld
from controller.clock import SECOND
from controller.engine.stimulation import _Level
from controller.gateway import person
from controller.gateway.delivery import Delivery
from controller.gateway.states import PERMITS_DELIVERY
from controller.gateway.watch import Watch
from controller.vocabulary.requests import ConfirmArm

pytestmark = pytest.mark.hazard(
    "H01",
    "H02",
    "H03",
    "H04",
    "H05",
    "H06",
    "H09",
    "H18",
    "H19",
    "H20",
    "H21",
    "H24",
    "H25",
    "H27",
    "H29",
    "H33",
    "H36",
    "H37",
)
CI_SEEDS, CI_LENGTH_S = 200, 5
CALM = replace(
    draw(1),
    unit="p24",
    puck="ximu3",
    orthosis="",
    protocol="bench_proportional",
    phenotype="moderate",
    length_s=12,
    acts=(),
    faults=(),
    early=(),
    early_faults=(),
)


BASES = [
    replace(CALM, unit=unit, puck=puck, orthosis=orthosis, protocol=protocol, phenotype=phenotype)
    for unit, puck, orthosis, protocol, phenotype in (
        ("p24", "ximu3", "", "wrist_extension_cued", "moderate"),
        ("rehamove3", "textline", "", "wrist_extension_self_paced", "strong"),
        ("p24-low", "ximu3", "", "bench_proportional", "slow"),
        ("rehastim2", "bno085", "", "wrist_extension_cued", "weak"),
        ("p24", "ximu3", "", "wrist_extension_self_paced", "stiff"),
        ("p24", "ximu3", "dynamixel", "wrist_extension_assisted", "numb"),
    )
]
"""Of every unit, and one with an orthosis; the campaigns draw them."""


@pytest.fixture(scope="module")
def ready():
    """One calm world, set up, to be copied."""
    world = SwarmWorld(CALM)
    world.set_up()
    return world


def with_acts(*acts):
    return replace(CALM, acts=acts)


@pytest.mark.timeout(600)
def test_two_hundred_worlds_are_safe_and_help_again():
    bad = [result for result in worlds(BASES, range(1, CI_SEEDS + 1), CI_LENGTH_S) if not result.good]
    assert [(r.seed, r.devices, r.protocol, r.mix, r.violations, r.crashes, r.stuck) for r in bad] == []


def test_the_same_seed_gives_the_same_line_and_digest():
    assert draw(7) == draw(7)
    assert draw(7).mix != draw(8).mix
    plan = draw_for(replace(CALM, puck="textline"), 7, CI_LENGTH_S)
    first, second = SwarmWorld(plan).run(), SwarmWorld(plan).run()
    assert first.line() == second.line()
    assert len(first.digest) == 16
    assert SwarmWorld(draw_for(plan, 8, CI_LENGTH_S)).run().digest != first.digest


def test_a_calm_world_delivers_and_has_nothing_to_be_blamed_for(ready):
    result = in_a_copy(ready, CALM)
    assert result.good
    assert result.pulses > 100
    assert result.armed == 2  # for fitting and for the session
    assert result.refused == 0


# -- the checkers can fail: each seeded bug is seen at the skin --------------------------------------------------------

FROZEN = [Act("freeze", "engine", start_ms, 1_500) for start_ms in (500, 3_500, 6_500, 9_000)]


def test_a_lease_that_never_expires_is_seen(ready, monkeypatch):
    assert in_a_copy(ready, with_acts(*FROZEN)).good
    order = Delivery.order

    def long_lease(delivery, now_ns, wish, driver, conditions):
        verdict = order(delivery, now_ns, wish, driver, conditions)
        delivery.lease_until_ns += 10_000_000_000 if delivery.lease_until_ns else 0
        return verdict

    monkeypatch.setattr(Delivery, "order", long_lease)
    result = in_a_copy(ready, with_acts(*FROZEN))
    assert any("stop: current" in text and "stood still" in text for text in result.violations)


def test_a_stop_that_is_not_heeded_is_seen(ready, monkeypatch):
    acts = [Act("stop", "", start_ms, 0, "F12") for start_ms in (1_000, 2_500, 4_000, 7_000)]
    assert in_a_copy(ready, with_acts(*acts)).good
    monkeypatch.setattr(person, "stop_pressed", lambda core, now_ns, source: None)
    result = in_a_copy(ready, with_acts(*acts))
    assert any("after STOP (F12)" in text for text in result.violations)


def test_a_silent_screen_that_nobody_misses_is_seen(ready, monkeypatch):
    acts = [Act("freeze", "screen", start_ms, 3_000) for start_ms in (500, 6_000)]
    assert in_a_copy(ready, with_acts(*acts)).good
    monkeypatch.setattr(Watch, "front_alive", lambda self, now_ns: True)
    result = in_a_copy(ready, with_acts(*acts))
    assert any("the screen stood still" in text for text in result.violations)


def test_a_ramp_that_is_left_out_is_seen(ready, monkeypatch):
    from safety import guard, rules

    without = tuple(entry for entry in rules.BODY_RULES if entry[0] != "G19")
    monkeypatch.setattr(guard, "BODY_RULES", without)

    def at_once(level, now_ns):
        level.now_ua = level.target_ua
        return level.now_ua

    monkeypatch.setattr(_Level, "move", at_once)
    cued = SwarmWorld(replace(CALM, protocol="wrist_extension_cued", length_s=20))
    cued.set_up()
    result = in_a_copy(cued, cued.plan)
    assert any(" rise: " in text for text in result.violations)


def test_a_latch_that_clears_by_itself_is_seen(ready, monkeypatch):
    from controller.gateway.core import GatewayCore

    keep = GatewayCore.latch

    def forgetful(core, now_ns, cause, todo):
        scope, permitted = core.scope, core.state in PERMITS_DELIVERY
        if not permitted:
            keep(core, now_ns, cause, todo)
            return
        core._off(now_ns)
        core.scope = scope
        core.delivery.guard.arm(scope, now_ns)
        core.unit.driver.rearm(now_ns)

    monkeypatch.setattr(GatewayCore, "latch", forgetful)
    acts = [Act("signal", "", start_ms, 0, "pedal") for start_ms in (1_000, 2_500, 4_000, 7_000)]
    result = in_a_copy(ready, with_acts(*acts))
    assert not result.good


def test_a_world_that_cannot_help_again_is_told(ready, monkeypatch):
    monkeypatch.setitem(person.REQUESTS, ConfirmArm, lambda *_: None)
    result = in_a_copy(ready, with_acts(Act("stop", "", 1_000, 0, "F12")))
    assert result.alive_s < 0
    assert result.stuck


@pytest.mark.parametrize(("on_s", "gateways", "much"), [(254, 2, True), (239, 2, False), (239, 3, True), (0, 1, False)])
def test_a_rest_of_minutes_is_believed_only_after_much_current(on_s, gateways, much):
    """300 s of ten minutes, less a longest burst for each gateway, and two."""
    world = SwarmWorld(CALM)
    now_ns = 2_000 * SECOND
    entry = {"kind": "train", "channel": 1, "pulses": 2, "amplitude_ua": 2_000, "width_us": 250, "period_us": 1}
    entry |= {"charge_nc": 1.0, "t_start_ns": now_ns - on_s * SECOND, "t_end_ns": now_ns}
    world.log.append(entry | {"t_start_ns": 0, "t_end_ns": 900 * SECOND})
    world.log.append(entry)
    world.house.gateways = gateways
    assert world._much_of_late(now_ns) is much


def test_on_a_coarse_grid_the_proportional_bench_goes_high_enough():
    plans = [draw(seed) for seed in range(1, 400)]
    coarse = [plan for plan in plans if (plan.unit, plan.protocol) == ("rehastim2", "bench_proportional")]
    assert coarse
    assert {plan.script.tolerance_ua for plan in coarse} == {20_000}


# -- the command -------------------------------------------------------------------------------------------------------


def test_it_resumes_and_tells_the_command_that_repeats_a_bad_seed(tmp_path, monkeypatch, capsys):
    out = tmp_path / "lines.jsonl"
    lived = []

    def live(work):
        seed, length_s, commit = work
        lived.append(seed)
        result = SwarmWorld(replace(CALM, seed=seed)).result
        result.seed, result.length_s, result.commit, result.alive_s = seed, length_s, commit, 1.0
        result.code = swarm.code()
        result.violations = ["1.000 s stop: current 300 ms after STOP"] if seed == 2 else []
        return result.line(), result.good, 0.1

    monkeypatch.setattr(swarm, "live", live)
    assert swarm.main(["--seeds", "1..3", "--out", str(out)]) == 1
    told = capsys.readouterr().out
    assert f"SEED=2 COMMIT={swarm.commit()}" in told
    assert "repeat     .venv/bin/python -m controller.assembly.swarm --seed 2 --length 30" in told
    out.write_text(out.read_text() + '{"seed": 9')  # a line that was cut off
    assert swarm.main(["--seeds", "1..5", "--out", str(out)]) == 1
    assert lived == [1, 2, 3, 4, 5]
    monkeypatch.setattr(swarm, "code", lambda: "changed since")
    assert swarm.main(["--seeds", "1..1", "--out", str(out)]) == 0
    assert lived == [1, 2, 3, 4, 5, 1]
    summary = swarm.summary([json.loads(line) for line in out.read_text().splitlines() if line.endswith("}")])
    assert (summary["worlds"], summary["violations"], summary["violations_upper_95"]) == (5, 1, None)
    assert summary["not_rearmable_upper_95"] == pytest.approx(3 / 5)


@pytest.mark.parametrize("words", [["--seeds", "5"], ["--seeds", "9..1"], [], ["--seeds", "1..2", "--seed", "3"]])
def test_a_wrong_use_is_told(words):
    with pytest.raises(SystemExit) as ended:
        swarm.main(words)
    assert ended.value.code == 2


def test_copies_leave_the_original_alone(ready):
    before = (ready.house.now_ns, len(ready.log), os.getpid())
    in_a_copy(ready, CALM)
    assert (ready.house.now_ns, len(ready.log), os.getpid()) == before
