"""What must hold for every sequence of orders of motion, judged by a checker that knows the caps and not the code."""

from copy import deepcopy

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from safety.joint import Assist
from safety.orders import Admitted, ArmScope

pytestmark = pytest.mark.hazard("H43", "H44")

JOINTS = ("finger", "wrist", "elbow", "ankle")
QUICK = settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
MS = 1_000_000


class Limb:
    """Watches admitted orders as they would reach the motor. Its figures are its own (deg/s, Nm, deg, s)."""

    def __init__(self, proposed, ceiling_mnm, rom_cdeg):
        self.dps, self.newton_metres, self.low, self.high, self.seconds, self.crowd = proposed
        self.ceiling_mnm, self.rom_cdeg = ceiling_mnm, rom_cdeg
        self.history = []  # (t_ns, mNm), as of then
        self.starts = []
        self.on_since = self.rest_until = None

    def off(self, t_ns):
        if self.on_since is not None:
            on_ns = t_ns - self.on_since
            assert on_ns <= (self.seconds + 0.12) * 1e9 + 1
            self.rest_until = t_ns + max(on_ns, 2 * 10**9)
            self.on_since = None
        self.history.append((t_ns, 0))

    def move(self, t_ns, order, angle_cdeg):
        if self.on_since is None:
            assert self.rest_until is None or t_ns >= self.rest_until
            self.on_since = t_ns
            self.starts.append(t_ns)
            assert len([start for start in self.starts if start > t_ns - 600 * 10**9]) <= self.crowd
        assert t_ns - self.on_since <= self.seconds * 10**9
        goal = order.target_cdeg if isinstance(order, Assist) else order.angle_cdeg
        assert max(self.low * 100, self.rom_cdeg[0] + 300) <= goal <= min(self.high * 100, self.rom_cdeg[1] - 300)
        assert self.rom_cdeg[0] - 1000 <= angle_cdeg <= self.rom_cdeg[1] + 1000
        assert 0 < order.torque_mnm <= min(self.newton_metres * 1000, self.ceiling_mnm)
        assert order.torque_mnm - self._lowest(t_ns) <= self.newton_metres * 100 + 1e-6
        if isinstance(order, Assist):
            assert 0 < order.speed_cdps <= self.dps * 100
            assert 0 <= order.stamp_ns - order.sensor_ns <= 100 * MS
        else:
            assert abs(goal - angle_cdeg) <= 1000
        self.history.append((t_ns, order.torque_mnm))

    def _lowest(self, t_ns):
        lowest, until = None, t_ns
        for since, mnm in reversed(self.history):
            if until <= t_ns - 20 * MS:
                break
            lowest = mnm if lowest is None else min(lowest, mnm)
            until = since
        return 0 if lowest is None else lowest


@st.composite
def asks(draw):
    """How an order differs from a gentle one: shares of the caps, so that bounds are met on both sides."""
    return {
        "torque": draw(st.sampled_from([-1, 0, 1, 50, 100, 101, 200, 500, 1000, 1001])),  # permille of the cap
        "speed": draw(st.sampled_from([0, 1, 500, 1000, 1001])),
        "goal": draw(st.sampled_from([-1001, -1000, -999, -300, 0, 300, 999, 1000, 1001])),  # permille of half range
        "sensor_ms": draw(st.sampled_from([0, 5, 5, 5, 100, 101])),
    }


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["assist", "assist", "hold", "rise", "rise", "rise", "off", "rest", "stale", "deaf"]),
        asks(),
        st.sampled_from([0, 1, 10, 19, 20, 20, 21, 60, 120, 121]),
        st.sampled_from([0, 0, 0, 100, -100, 900, -2000]),  # how far the joint moves meanwhile, cdeg
    ),
    max_size=60,
)


def order_of(rig, kind, ask, held_mnm):
    span = (rig.high_cdeg - rig.low_cdeg) // 2
    torque = held_mnm if kind == "rise" else rig.torque_mnm * ask["torque"] // 1000
    if kind == "hold":
        return rig.hold(torque_mnm=torque, angle_cdeg=rig.angle_cdeg + ask["goal"])
    goal = rig.middle_cdeg + (span * ask["goal"] // 1000 if kind != "rise" else 0)
    speed = rig.speed_cdps * ask["speed"] // 1000 if kind != "rise" else 100
    sensor_ns = rig.now_ns - (ask["sensor_ms"] if kind != "rise" else 5) * MS
    changes = {"seq": rig.seq} if kind == "stale" else {}
    return rig.assist(torque_mnm=torque, target_cdeg=goal, speed_cdps=speed, sensor_ns=sensor_ns, **changes)


@pytest.mark.parametrize("region", JOINTS)
@QUICK
@given(steps=STEPS, ceiling=st.integers(1, 1000), narrow_cdeg=st.sampled_from([0, 0, 200, 800]))
def test_no_sequence_moves_a_limb_beyond_the_caps(kit, region, steps, ceiling, narrow_cdeg):
    proposed = kit.PROPOSED_JOINTS[region]
    rom = (proposed[2] * 100 - 300 + narrow_cdeg, proposed[3] * 100 + 300 - narrow_cdeg)
    ceiling_mnm = max(1, round(proposed[1] * ceiling))
    rig = kit.JointRig(region, torque_mnm=ceiling_mnm, rom_min_cdeg=rom[0], rom_max_cdeg=rom[1])
    limb = Limb(proposed, ceiling_mnm, rom)
    lease_end, held, last_seq = None, 0, -1
    for kind, ask, gap_ms, moved_cdeg in steps:
        rig.now_ns += gap_ms * MS
        if kind != "deaf":
            rig.stand(rig.angle_cdeg + moved_cdeg)
        if lease_end is not None and rig.now_ns > lease_end:
            limb.off(rig.now_ns)
            rig.guard.off_joint(rig.now_ns)
            lease_end = None
        if kind == "rest":
            rig.now_ns = max(rig.now_ns, rig.guard.joint_rest_until_ns)
            rig.stand(rig.middle_cdeg)
            continue
        if kind == "off":
            rig.guard.off_joint(rig.now_ns)
            limb.off(rig.now_ns)
            lease_end = None
            continue
        held = held + rig.rise_mnm if rig.guard.moving and kind == "rise" else rig.rise_mnm
        answer = order_of(rig, kind, ask, held)
        if isinstance(answer, Admitted):
            assert answer.order.seq > last_seq
            last_seq = answer.order.seq
            assert 0 < answer.expires_ns - answer.order.stamp_ns <= 120 * MS
            limb.move(rig.now_ns, answer.order, rig.angle_cdeg)
            assert rig.guard.moving
            lease_end = answer.expires_ns  # the newest lease is the only one
        else:
            limb.off(rig.now_ns)
            assert not rig.guard.moving
            lease_end = None


@pytest.mark.parametrize("region", JOINTS)
@QUICK
@given(steps=STEPS, ask=asks(), hold=st.booleans(), less=st.tuples(st.integers(0, 10_000), st.integers(0, 10_000)))
def test_what_is_admitted_is_admitted_weaker_and_slower(kit, region, steps, ask, hold, less):
    rig = kit.JointRig(region)
    for kind, before, gap_ms, moved_cdeg in steps[:6]:
        rig.wait(gap_ms)
        rig.stand(rig.angle_cdeg + moved_cdeg)
        order_of(rig, kind, before, rig.rise_mnm)
    twin = deepcopy(rig)
    answer = order_of(rig, "hold" if hold else "assist", ask, 0)
    if isinstance(answer, Admitted):
        order = answer.order
        torque_mnm = 1 + less[0] % order.torque_mnm
        if isinstance(order, Assist):
            speed_cdps = 1 + less[1] % order.speed_cdps
            goal, sensor_ns = order.target_cdeg, order.sensor_ns
            again = twin.assists(torque_mnm=torque_mnm, speed_cdps=speed_cdps, target_cdeg=goal, sensor_ns=sensor_ns)
        else:
            again = twin.holds(torque_mnm=torque_mnm, angle_cdeg=order.angle_cdeg)
        assert again == ""


@QUICK
@given(steps=STEPS, way=st.sampled_from(["off", "off_joint", "disarm", "arm"]))
def test_off_resets_whatever_was_before(kit, steps, way):
    rig = kit.JointRig("wrist")
    for kind, ask, gap_ms, _ in steps[:10]:
        rig.wait(gap_ms)
        order_of(rig, kind, ask, rig.rise_mnm)
    moved = rig.guard._joint.memory.dose.movements > 0
    settle = {"arm": lambda now_ns: rig.guard.arm(ArmScope.SESSION, now_ns)}
    settle.get(way, getattr(rig.guard, way))(rig.now_ns)
    assert not rig.guard.moving
    assert rig.guard._memory.assisted_sign == 0
    rig.guard.arm(ArmScope.SESSION, rig.now_ns)
    assert rig.assists() == ("J15" if moved and rig.guard.joint_rest_until_ns > rig.now_ns else "")
    rig.guard.off_joint(rig.now_ns)
    rig.now_ns = max(rig.now_ns, rig.guard.joint_rest_until_ns)
    rig.stand(rig.middle_cdeg)
    assert rig.assists(torque_mnm=rig.rise_mnm + 1) == "J13"  # from 0 again
    rig.stand(rig.middle_cdeg)
    rig.now_ns = max(rig.now_ns, rig.guard.joint_rest_until_ns)
    rig.stand(rig.middle_cdeg)
    assert rig.assists(torque_mnm=rig.rise_mnm) == ""


@QUICK
@given(
    steps=st.lists(
        st.tuples(st.sampled_from(["flex", "extend", "one", "two", "off", "let go"]), st.integers(0, 60)), max_size=30
    )
)
def test_a_muscle_and_the_motor_never_start_against_each_other(kit, steps):
    rig = kit.JointRig("wrist")
    assert rig.constrain(channel_signs=((1, 1), (2, -1))) == ""
    for what, gap_ms in steps:
        rig.wait(gap_ms)
        goal = rig.middle_cdeg + {"flex": -2000, "extend": 2000}.get(what, 0)
        if what in ("flex", "extend"):
            rig.now_ns = max(rig.now_ns, 0 if rig.guard.moving else rig.guard.joint_rest_until_ns)
            rig.stand(rig.middle_cdeg)
            rig.assists(target_cdeg=goal)
        elif what in ("one", "two"):
            rig.now_ns = max(rig.now_ns, 0 if rig.guard.delivering else rig.guard.rest_until_ns)
            rig.stand(rig.middle_cdeg)
            rig.deliver(channel=1 if what == "one" else 2)
        elif what == "off":
            rig.guard.off_stimulation(rig.now_ns)
        else:
            rig.guard.off_joint(rig.now_ns)
        memory = rig.guard._memory
        if rig.guard.moving and rig.guard.delivering and rig.guard._joint.memory.lease_until_ns >= rig.now_ns:
            for channel, trail in memory.trails.items():
                assert trail.amount == 0 or {1: 1, 2: -1}[channel] == memory.assisted_sign


def test_same_orders_same_answers(kit):
    def run():
        rig = kit.JointRig("elbow")
        answers = [rig.ramp(5000), rig.keep_on(300), rig.deliver(), rig.assists(torque_mnm=0), rig.holds()]
        return answers, rig.guard.joint_rest_until_ns

    assert run() == run()
    assert run()[0] == ["", "", "", "J08", "J15"]
