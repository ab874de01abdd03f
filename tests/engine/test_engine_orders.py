"""The engine aims inside the guard: whatever is wanted, whenever, however late the orders arrive, none is refused."""

from dataclasses import dataclass
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controller.drivers.stimulators.p24 import P24_LIMITS
from controller.engine import ports
from controller.engine.stimulation import GRID_UA, Output, Stimulation
from controller.vocabulary import intents
from controller.vocabulary.facts import BurstEnded, GatewayState
from safety.guard import Guard
from safety.interlocks import Conditions
from safety.orders import LEASE_MAX_NS, ArmScope, Deliver, Purpose, Refused, Renew, Stop
from safety.stimulus import Waveform

MS = 1_000_000
SECOND = 1_000 * MS
LATE_MS_MAX = 40
GOOD = Conditions(True, True, True, True, "", False, True)
CEILINGS_UA = {"extensors": 20_000, "flexors": 12_500}


def prescribed(scope, ceiling_ua=None):
    """A real guard with channels 1 and 2 on the forearm, armed."""
    guard = Guard(P24_LIMITS)
    for channel, ceiling in enumerate(CEILINGS_UA.values(), 1):
        found = ceiling if ceiling_ua is None else ceiling_ua
        assert guard.prescribe(channel, "forearm", 2_500, found, 0, "SIM01", "2026-01-05", False) is None
    assert guard.need("seated") is None
    assert guard.place("seated", False, "SIM01", "2026-01-05", False) is None
    guard._memory.identified = {1, 2}
    guard._memory.fitted = dict.fromkeys({1, 2}, Waveform(10_000, 0, 1))
    guard.arm(scope, 0)
    return guard


@dataclass
class Gate:
    """The guard behind a line that delivers in order, but late: a busy machine bunches what was sent apart."""

    guard: Guard
    arrived_ns: int = 0
    last: int = 0

    def take(self, order, late_ms):
        """One order, `late_ms` after its stamp, and never before the one ahead of it."""
        self.arrived_ns = max(self.arrived_ns, order.stamp_ns + late_ms * MS)
        assert order.seq > self.last
        self.last = order.seq
        if isinstance(order, Stop):
            self.guard.off(self.arrived_ns)
            return
        assert order.expires_ns - order.stamp_ns <= LEASE_MAX_NS
        answer = self.guard.admit(order, self.arrived_ns, GOOD)
        assert not isinstance(answer, Refused), f"{answer.rule}: {answer.reason}"
        if isinstance(order, Deliver):
            for train in order.trains:
                assert train.amplitude_ua % GRID_UA == 0


def outputs(ramp_ms):
    return [
        Output(name, channel, 250, 100, 29_000, ceiling, ramp_ms * MS, ramp_ms * MS)
        for channel, (name, ceiling) in enumerate(CEILINGS_UA.items(), 1)
    ]


targets = st.fixed_dictionaries({name: st.integers(0, ceiling) for name, ceiling in CEILINGS_UA.items()})
lateness = st.one_of(st.sampled_from([0, LATE_MS_MAX]), st.integers(0, LATE_MS_MAX))
# how long a phase of the activity lasts, what it wants, along the ramp or at once
phases = st.lists(st.tuples(st.integers(1, 400), targets, st.booleans()), min_size=1, max_size=12)


@settings(max_examples=150, deadline=None)
@given(
    bursts=st.lists(phases, min_size=1, max_size=3),
    ramp_ms=st.sampled_from([1, 200, 500]),
    late=st.lists(lateness, min_size=1, max_size=40),
    sample_ms=st.sampled_from([1, 7, 10, 20]),
)
def test_no_order_of_a_session_is_refused(bursts, ramp_ms, late, sample_ms):
    gate, stimulation, now_ns, number = Gate(prescribed(ArmScope.SESSION)), Stimulation(), SECOND, 0
    stimulation.use(outputs(ramp_ms))

    def send(order):
        nonlocal number
        if order is not None:
            number += 1
            gate.take(order, late[number % len(late)])

    for burst in bursts:
        for lasts_ms, wanted, direct in burst:
            ends_ns = now_ns + lasts_ms * MS
            stimulation.aim(now_ns, wanted, direct)
            send(stimulation.order(now_ns, now_ns - 5 * MS, Purpose.ASSIST))
            while now_ns < ends_ns:
                now_ns = min(now_ns + sample_ms * MS, ends_ns)
                if stimulation.due() and now_ns >= stimulation.due():
                    send(stimulation.order(now_ns, now_ns - 5 * MS, Purpose.ASSIST))
            if not stimulation.delivering:
                now_ns = max(now_ns, gate.guard.rest_until_ns)
        send(stimulation.stop(now_ns) if stimulation.delivering else None)
        now_ns = max(now_ns + 50 * MS, gate.guard.rest_until_ns)


@settings(max_examples=60, deadline=None)
@given(
    steps=st.lists(st.tuples(st.integers(1, 30), st.integers(2_000, 20_000)), min_size=10, max_size=150),
    late=st.lists(lateness, min_size=1, max_size=40),
)
def test_no_order_that_follows_a_limb_is_refused(steps, late):
    """One order a sample, however fast the limb goes up and down."""
    gate, stimulation, now_ns = Gate(prescribed(ArmScope.SESSION)), Stimulation(), SECOND
    stimulation.use(outputs(200))
    for number, (wait_ms, target_ua) in enumerate(steps):
        now_ns += wait_ms * MS
        stimulation.aim(now_ns, {"extensors": target_ua}, direct=True)
        order = stimulation.order(now_ns, now_ns - 5 * MS, Purpose.ASSIST, always=True)
        gate.take(order, late[number % len(late)])


@pytest.mark.parametrize("sample_ms", [1, 4, 10, 20])
@pytest.mark.parametrize("stalled_ms", range(0, 100, 3))
def test_a_machine_that_stalls_for_40_ms_makes_no_order_too_steep(sample_ms, stalled_ms):
    """What is sent during the stall arrives in one bunch at its end, and what follows arrives at once."""
    gate, stimulation = Gate(prescribed(ArmScope.SESSION)), Stimulation()
    stimulation.use(outputs(1))
    for ms in range(0, 400, sample_ms):
        now_ns = SECOND + ms * MS
        stimulation.aim(now_ns, {"extensors": 20_000}, direct=True)
        order = stimulation.order(now_ns, now_ns - 5 * MS, Purpose.ASSIST, always=True)
        stalled = stalled_ms <= ms < stalled_ms + LATE_MS_MAX
        gate.take(order, stalled_ms + LATE_MS_MAX - ms if stalled else 0)
    assert stimulation.now_ua("extensors") >= 12_000  # and caution does not stand still


@pytest.mark.parametrize("late_ms", [0, 10, 20, 40])
def test_a_raise_that_came_late_does_not_make_the_next_one_too_early(kit, late_ms):
    bench = kit.Bench().to_fitting()
    guard = prescribed(ArmScope.FITTING, 0)
    guard.arm(ArmScope.FITTING, bench.now_ns)
    gate, sent = Gate(guard), len(bench.said)
    for number in range(1, 60):
        guard.press(number, max(bench.now_ns, gate.arrived_ns))
        bench.intend(intents.Titrate(1, 500, number))
        for _, output in bench.said[sent:]:
            if isinstance(order := getattr(output, "message", None), Deliver | Renew):
                gate.take(order, late_ms if number < 30 else 0)
        sent = len(bench.said)
        bench.run(10)
        late_ms = 0 if bench.core.set_up.fitting.level_ua[1] > 500 else late_ms
    assert bench.core.set_up.fitting.level_ua[1] >= 1_000


presses = st.lists(
    st.tuples(
        st.integers(1, 1_500),  # ms until the next key
        st.sampled_from([500, 500, 500, -500, -500, -1_000, 0, "off"]),
        lateness,
    ),
    min_size=1,
    max_size=40,
)


@settings(max_examples=60, deadline=None)
@given(presses)
def test_no_step_of_fitting_is_refused(kit, script):
    """However a person presses: too fast, up and down, off and on again. (G26, G27.)"""
    bench = kit.Bench().to_fitting()
    guard = prescribed(ArmScope.FITTING, 0)
    guard.arm(ArmScope.FITTING, bench.now_ns)
    gate = Gate(guard)
    sent = len(bench.said)

    def pass_on(late_ms):
        nonlocal sent
        for _, output in bench.said[sent:]:
            order = getattr(output, "message", None)
            if isinstance(order, Deliver | Renew | Stop):
                was_on = guard.delivering
                gate.take(order, late_ms)
                if was_on and not guard.delivering:
                    ended = BurstEnded(gate.arrived_ns, "released", guard.rest_until_ns)
                    bench.step(ports.FromGateway(ended))
        sent = len(bench.said)

    for number, (wait_ms, key, late_ms) in enumerate(script, 1):
        if key == "off":
            bench.intend(intents.TitrateOff())
        else:
            guard.press(number, max(bench.now_ns, gate.arrived_ns))
            bench.intend(intents.Titrate(1, key, number))
        pass_on(late_ms)
        for _ in range(wait_ms // 20 + 1):
            bench.run(20)
            pass_on(late_ms)


def test_a_person_gets_up_to_the_level_that_they_want(kit):
    """The caution above must not stand in anybody's way: at one press each 400 ms every press is a step."""
    bench = kit.Bench().to_fitting()
    for _ in range(6):  # well within one train
        bench.press()
        bench.run(400)
    assert bench.core.set_up.fitting.level_ua[1] == 3_000


def test_presses_that_come_too_fast_earn_nothing(kit):
    bench = kit.Bench().to_fitting()
    for _ in range(10):
        bench.press()
        bench.run(50)
    assert bench.core.set_up.fitting.level_ua[1] == 1_000


def test_a_titration_train_ends_by_itself_and_leaves_the_level(kit):
    bench = kit.Bench().to_fitting()
    bench.press()
    began_ns = bench.now_ns
    bench.run(3_500)
    (stop,) = bench.orders(began_ns, (Stop,))
    assert stop.stamp_ns - began_ns <= 3 * SECOND  # what the guard allows
    assert bench.core.set_up.fitting.level_ua[1] == 500
    bench.press()  # during the rest a key counts for nothing
    assert not bench.on
    bench.run(2_000)
    bench.press()
    assert bench.on


def test_a_session_that_ends_under_a_titration_train_switches_it_off_and_falls_silent(kit):
    bench = kit.Bench().to_fitting()
    bench.press()
    assert bench.on
    began_ns = bench.now_ns
    bench.intend(intents.EndSession())
    assert not bench.on
    assert bench.orders(began_ns, (Stop,))
    bench.run(4_000)
    assert bench.core.next_deadline() > bench.now_ns  # no deadline that nobody sees to: the loop would never sleep


def test_the_region_caps_what_fitting_asks_for(kit):
    bench = kit.Bench().to_fitting()
    fitting = bench.core.set_up.fitting
    limit_ua = bench.core.set_up.limit("extensors")[0]
    fitting.level_ua[1] = limit_ua
    bench.press()
    assert fitting.level_ua[1] == limit_ua
    assert bench.core.set_up.limit("extensors")[1] == "forearm cap"


def test_levels_are_marked_in_their_order_and_only_under_current(kit):
    bench = kit.Bench().to_fitting()
    found = bench.core.set_up.fitting.found["extensors"]

    def press(times, step_ua=500):
        for _ in range(times):
            bench.press(step_ua)
            bench.run(400)

    def mark(level, channel=1):
        bench.intend(intents.MarkLevel(channel, level))
        return found.sensory_ua, found.motor_ua, found.tolerance_ua

    assert mark(intents.Level.SENSORY) == (0, 0, 0)  # nothing flows yet
    press(3)
    assert mark(intents.Level.MOTOR, channel=7) == (0, 0, 0)
    assert mark(intents.Level.MOTOR) == (0, 1_500, 0)
    press(1, -500)
    assert mark(intents.Level.TOLERANCE) == (0, 1_500, 0)  # below the motor threshold
    press(2)
    assert mark(intents.Level.TOLERANCE) == (0, 1_500, 2_000)
    press(1)
    assert mark(intents.Level.TOLERANCE) == (0, 1_500, 2_000)  # it only falls
    assert not bench.core.set_up.fitting.complete
    bench.intend(intents.TitrateOff())
    assert mark(intents.Level.SENSORY) == (0, 1_500, 2_000)  # what does not flow is not felt


def test_an_assistance_begins_with_its_trigger_and_is_renewed_each_tick(running):
    running.run(2_500)
    running.reach(45.0, ms=100)
    running.run(1_000)
    orders = running.orders(running.begun_ns)
    first = next(order for order in orders if isinstance(order, Deliver) and order.trains)
    assert first.trains[0].amplitude_ua >= GRID_UA
    stamps = [order.stamp_ns for order in orders if order.stamp_ns >= first.stamp_ns]
    assert max(b - a for a, b in pairwise(stamps)) <= 20 * MS
    assert all(order.expires_ns - order.stamp_ns == LEASE_MAX_NS for order in orders if not isinstance(order, Stop))


def test_an_amplitude_that_falls_to_nothing_waits_for_the_rest(current):
    """A limb hovers where the amplitude is zero: the burst has ended; nothing is asked for until the rest is over."""
    current.reach(0.8)  # above the way out of the phase, below the first step of the unit
    current.run(300)
    assert not current.on
    assert current.state is GatewayState.RESTING
    ended_ns, rest_until_ns = current.now_ns, current.rest_until_ns
    current.reach(45.0)
    current.run(4_000)
    asked = [order for order in current.orders(ended_ns, (Deliver,)) if order.trains]
    assert asked
    assert asked[0].stamp_ns >= rest_until_ns
    assert asked[0].trains[0].amplitude_ua <= 2_000
