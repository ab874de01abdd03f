"""Each of the other stimulators in the real processes: current that the unit itself confirms, then STOP."""

from dataclasses import replace

import pytest

from controller.clock import now_ns
from controller.drivers.stimulators.kind import stimulator
from controller.vocabulary.facts import GatewayState

pytestmark = pytest.mark.hazard("H18", "H25")

UNITS = ("p24-low", "rehamove3", "rehastim2")
SOFTWARE_MS = 500.0  # the design's 250 ms, on a machine that others use too
AFTERWARDS_S = 0.5
ACCEPTED_STEPS = 4
WAITED_S = 30.0


def stopped(live, unit):
    """(instant of STOP, the gateway's status before it and after it)."""
    before, stop_ns = live.front.status, now_ns()
    live.front.stop("F12")
    assert live.pump(WAITED_S, lambda: live.gateway_state is GatewayState.LATCHED), live.told()
    live.pump(AFTERWARDS_S)
    assert live.gateway_state is GatewayState.LATCHED
    return stop_ns, before, live.front.status


@pytest.fixture(scope="module", autouse=True)
def own_folders(tmp_path_factory, kit, request):
    """All at a time, those of the chosen tests alone: {unit: future of its session and what it came to}."""
    chosen = " ".join(item.name for item in request.session.items)

    def one(unit, folder):
        step_ua = stimulator(unit).limits.amplitude_step_ua
        levels = {"sensory_ua": 2 * step_ua, "motor_ua": 3 * step_ua, "tolerance_ua": ACCEPTED_STEPS * step_ua}
        live = kit.Live(folder, replace(kit.GOES_ON, **levels), unit=unit)  # a starved machine may stop it on its way
        try:
            live.to_current()
            live.therapist.script = kit.QUICK
            return live, *stopped(live, unit)
        finally:
            live.close()

    units = [unit for unit in UNITS if f"[{unit}]" in chosen]
    with kit.together(tmp_path_factory.mktemp("units"), one, units, workers=3) as futures:
        yield futures


@pytest.mark.parametrize("unit", UNITS)
def test_current_is_confirmed_by_the_unit_and_stop_ends_it(own_folders, capsys, unit):
    live, stop_ns, before, after = own_folders[unit].result()
    last_ms = live.last_ms("train", stop_ns)
    with capsys.disabled():
        print(f"\n{unit}: current {last_ms:.1f} ms after STOP", end=" ")
    assert last_ms <= SOFTWARE_MS
    assert before.unit.startswith("SIM")
    assert before.capabilities == stimulator(unit).capabilities
    step_ua = stimulator(unit).limits.amplitude_step_ua
    # the limb is at 45 of 60 deg, give or take 4, and rounded down to a step of the unit
    assert max(output.confirmed_ua for output in before.outputs) // step_ua in (2, 3)
    assert all(output.confirmed_ua == 0 for output in after.outputs)
    amplitudes = {train["amplitude_ua"] for train in live.trains()}
    assert amplitudes <= {number * step_ua for number in range(ACCEPTED_STEPS + 1)}  # never above what was accepted
    assert "STOP was pressed (F12)" in live.causes()[-1]
    assert not [record for record in live.gateway_records() if record.kind == "refused"]
    live.assert_whole()
