"""A powered orthosis at the same gateway: the real core, guard and drivers, real twins, and a hinge between them.

One stop stops both, neither waits for the other, and letting go is carried out in every state.
"""

import math
from dataclasses import replace
from datetime import date

import pytest

from controller.drivers.orthoses.dynamixel import DYNAMIXEL
from controller.gateway import ports
from controller.gateway.authorisation import Book, Entry
from controller.gateway.conditions import conditions_of
from controller.gateway.core import GatewayCore
from controller.gateway.permit import Holder
from controller.vocabulary.facts import ArmDenied, ArmNumber, GatewayState, JointReport, Latched, Refusal
from controller.vocabulary.notices import ConstrainJoint
from controller.vocabulary.requests import ConfirmArm, Disarm, PrescribeJoint, Press, StopNow
from controller.vocabulary.stages import Stage
from safety.joint import Assist, Free, Hold, Release
from sim.devices.dynamixel import DynamixelTwin

pytestmark = pytest.mark.hazard("H33", "H37", "H40", "H44")

MS = 1_000_000
JOINT = PrescribeJoint("SIM01", "2026-01-05", "wrist", "right", -5_500, 5_000, 1_200)
WISH = ConstrainJoint("wrist", 1_200, 4_000, 0, 3_000, 6_000, ((1, 1), (2, -1)))


class Hinge:
    """A limb on the motor: inertia and damping, nothing else."""

    def __init__(self, angle_deg):
        self.angle, self.speed, self._at_ns = math.radians(angle_deg), 0.0, 0

    def advance(self, now_ns, torque_nm):
        while self._at_ns and now_ns - self._at_ns >= MS:
            self._at_ns += MS
            self.speed += 0.001 * (torque_nm - 0.08 * self.speed) / 0.006
            self.angle += 0.001 * self.speed
        self._at_ns = self._at_ns or now_ns


def joint_bench(kit, angle_deg=-10.0):
    """A bench of the gateway's tests with a servo and a hinge on a second cable."""

    class JointBench(kit.Bench):
        def __init__(self):
            super().__init__()
            self.core = GatewayCore(self.core.kind, orthosis=DYNAMIXEL)
            self.servo_log = []
            self.servo = DynamixelTwin(log=self.servo_log.append)
            self.hinge = Hinge(angle_deg)
            self.joint_wire = []
            self.moves = None
            self.joint_gone = False
            self._motion_seq = self._move_due_ns = 0

        def _carry_out(self, outputs):
            super()._carry_out(outputs)
            sent = b"".join(output.data for output in outputs if isinstance(output, ports.ToJoint))
            if sent:
                self.joint_wire.append((self.now_ns, sent))
            if sent and not self.joint_gone:
                self._hear(self.servo.feed(self.now_ns, sent))

        def _hear(self, answer):
            if answer and not self.joint_gone:
                outputs = self.core.step(self.now_ns, [ports.JointBytes(answer)])
                self.said += outputs
                self._carry_out(outputs)

        def run(self, ms):
            for _ in range(ms):
                self.servo.feel(self.now_ns, math.degrees(self.hinge.angle), math.degrees(self.hinge.speed))
                self._hear(self.servo.advance(self.now_ns))
                self.hinge.advance(self.now_ns, self.servo.torque_nm())
                if self.moves is not None and self.now_ns >= self._move_due_ns:
                    self._move_due_ns = self.now_ns + 20 * MS
                    self.send(self.motion())
                super().run(1)

        def motion(self, **changes):
            """The next order of the movement that is being asked for."""
            self._motion_seq += 1
            kind, fields = self.moves
            stamps = {"seq": self._motion_seq, "stamp_ns": self.now_ns, "expires_ns": self.now_ns + 120 * MS}
            return kind(**(stamps | {"sensor_ns": self.now_ns - 5 * MS} | fields | changes))

        def ready(self):
            """Both devices known, joint measured, armed for the session."""
            self.step(ports.UnitOpened("memory"), ports.JointOpened("memory"))
            self.run(1_500)
            self.prescribe().press(JOINT)
            self.send(WISH)
            return self.arm()

        def lift(self, ms=400, torque_mnm=60):
            self.moves = (Assist, {"target_cdeg": 2_500, "speed_cdps": 3_000, "torque_mnm": torque_mnm})
            self.run(ms)
            return self

    return JointBench()


@pytest.fixture
def bench(kit):
    return joint_bench(kit)


def test_an_assist_carries_the_limb_and_letting_go_ends_the_torque(bench):
    bench.ready().lift(1_500)
    assert bench.core.state is GatewayState.ARMED
    assert 15.0 < math.degrees(bench.hinge.angle) < 30.0
    assert bench.facts(Refusal) == []
    report = bench.facts(JointReport)[-1]
    assert report.moving
    assert report.torque_on
    assert abs(report.angle_cdeg - math.degrees(bench.hinge.angle) * 100) < 200
    bench.moves = None
    bench.send(Release(10_000, bench.now_ns, 200))
    bench.run(500)
    assert bench.servo.torque_nm() == 0.0
    assert not bench.core.joint.on
    assert bench.core.joint.freed


def test_the_report_carries_todays_limits(bench):
    bench.ready()
    report = bench.core.joint.report()
    assert (report.torque_limit_mnm, report.bound_by) == (1_200, "patient ceiling")
    assert (report.angle_min_cdeg, report.angle_max_cdeg) == (0, 3_000)
    assert report.speed_limit_cdps == 4_000


@pytest.mark.parametrize(
    "stop",
    [
        lambda bench: bench.press(StopNow("F12")),
        lambda bench: bench.press(Disarm("enough")),
        lambda bench: bench.step(ports.EngineGone("died")),
        lambda bench: bench.step(ports.FrontGone("hung up")),
        lambda bench: bench.step(ports.UnitGone("cable")),
        lambda bench: bench.step(ports.StopSignal("SIGTERM")),
    ],
)
def test_one_stop_stops_both_in_the_same_step(bench, stop):
    bench.ready().lift().stimulate()
    assert bench.servo.torque_nm() != 0.0
    since = bench.now_ns
    stop(bench)
    bench.moves = None
    bench.renews = False
    assert [at for at, _ in bench.joint_wire if at == since]  # torque off left in that very step
    bench.run(60)
    assert bench.servo.torque_nm() == 0.0
    assert not bench.core.joint.on
    assert not bench.core.delivery.on
    if not bench.closed and bench.core.unit.driver is not None:
        assert bench.twin.drive() == ()


def test_an_orthosis_that_never_answers_does_not_hold_up_the_current(bench):
    bench.ready().lift().stimulate()
    bench.joint_gone = True  # its cable carries nothing any more, and nobody says so
    bench.run(400)
    assert bench.core.state is GatewayState.LATCHED
    assert bench.twin.drive() == ()
    assert bench.off_ns
    assert bench.facts(Latched)[0].cause


def test_a_unit_that_never_answers_does_not_hold_up_the_torque(bench):
    bench.ready().lift().stimulate()
    bench.closed = True
    bench.press(StopNow("F12"))
    bench.moves = None
    bench.run(40)
    assert bench.servo.torque_nm() == 0.0


def test_the_orthosis_lost_ends_the_current_and_says_what_to_do(bench):
    bench.ready().lift().stimulate()
    bench.joint_gone = True
    bench.step(ports.JointGone("input/output error"))
    assert bench.core.state is GatewayState.LATCHED
    assert "SUPPORT THE LIMB" in bench.core.todo
    bench.moves, bench.renews = None, False
    bench.run(50)
    assert bench.twin.drive() == ()
    assert "plug it in again" in bench.core.blocked(bench.now_ns)


def test_an_engine_that_falls_silent_loses_the_torque_within_its_lease(bench):
    bench.ready().lift()
    bench.moves = None
    silent_from = bench.now_ns
    while bench.servo.torque_nm() != 0.0:
        bench.run(1)
        assert bench.now_ns - silent_from <= 160 * MS
    assert bench.core.state is GatewayState.LATCHED


def test_nothing_moves_unless_armed_and_letting_go_is_carried_out_always(bench):
    bench.step(ports.UnitOpened("memory"), ports.JointOpened("memory"))
    bench.run(1_500)
    bench.prescribe().press(JOINT)
    bench.send(WISH)
    bench.lift(200)
    assert bench.servo.torque_nm() == 0.0
    assert bench.core.delivery.dropped > 0
    bench.moves = None
    before = len(bench.joint_wire)
    bench.send(Free(1, bench.now_ns))
    bench.send(Release(2, bench.now_ns, 100))
    assert len(bench.joint_wire) > before


def test_a_joint_that_nobody_measured_is_said_before_arming(bench):
    bench.step(ports.UnitOpened("memory"), ports.JointOpened("memory"))
    bench.run(1_500)
    bench.prescribe()
    bench.send(WISH)
    bench.press(StopNow("F12"))
    bench.run(300)
    answer = bench.ask()
    assert isinstance(answer, ArmDenied)
    assert "has not been measured today" in answer.reason
    bench.press(replace(JOINT, rom_min_cdeg=-5_500, rom_max_cdeg=-100))  # below 0, where the protocol begins
    answer = bench.ask()
    assert isinstance(answer, ArmDenied)
    assert "no room to move the joint" in answer.reason
    bench.press(JOINT)
    assert "no room to move the joint" in bench.ask().reason  # what stands is not changed without a reason
    bench.press(replace(JOINT, reason="measured again"))
    assert isinstance(bench.ask(), ArmNumber)


def test_a_joint_that_nobody_measured_is_refused_and_latches(bench):
    bench.step(ports.UnitOpened("memory"), ports.JointOpened("memory"))
    bench.run(1_500)
    bench.prescribe()
    bench.arm()
    bench.send(WISH)  # the protocol is known only after the person has armed
    bench.lift(40)
    assert bench.facts(Refusal)[0].rule == "J07"
    assert bench.core.state is GatewayState.LATCHED
    assert bench.servo.torque_nm() == 0.0


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"target_cdeg": 3_001}, "J09"),
        ({"torque_mnm": 1_201}, "J08"),
        ({"speed_cdps": 4_001}, "J10"),
        ({"expires_ns": 1}, "J04"),
        ({"sensor_ns": 1}, "J17"),
    ],
)
def test_an_order_outside_a_limit_is_refused_before_the_wire(bench, changes, rule):
    bench.ready()
    bench.moves = (Assist, {"target_cdeg": 2_500, "speed_cdps": 3_000, "torque_mnm": 60})
    bench.send(bench.motion(**changes))
    assert [fact.rule for fact in bench.facts(Refusal)[:1]] == [rule]
    assert bench.core.state is GatewayState.LATCHED
    bench.moves = None
    bench.run(60)
    assert bench.servo.torque_nm() == 0.0


def test_without_news_of_the_joint_neither_current_nor_movement_is_admitted(bench):
    bench.ready()
    bench.joint_gone = True
    bench.run(90)
    assert not bench.core.joint.ok(bench.now_ns)
    bench.send(bench.order(2_000))
    assert bench.twin.drive() == ()
    assert bench.core.state is GatewayState.LATCHED
    assert bench.core.cause == "The orthosis did not say for 60 ms where the joint is."
    assert bench.facts(Refusal) == []  # no defect of an order


def test_a_hold_keeps_the_joint_where_it_is(kit):
    bench = joint_bench(kit, angle_deg=5.0).ready()
    here = round(math.degrees(bench.hinge.angle) * 100)
    bench.moves = (Hold, {"angle_cdeg": max(0, here), "torque_mnm": 60})
    bench.run(500)
    assert bench.facts(Refusal) == []
    assert abs(math.degrees(bench.hinge.angle) - 5.0) < 2.0


def test_a_port_that_comes_back_as_another_servo_cannot_be_armed(bench):
    bench.ready()
    bench.step(ports.JointGone("cable"))
    assert bench.core.state is GatewayState.LATCHED
    other = DynamixelTwin("SIMDXL0002")
    bench.servo, bench.hinge = other, Hinge(0.0)
    bench.run(20)
    bench.step(ports.JointOpened("memory"))
    bench.run(2_500)  # longer than a device is waited for that says nothing
    assert "SIMDXL0001" in bench.core.blocked(bench.now_ns)
    assert "SIMDXL0002" in bench.core.blocked(bench.now_ns)


def test_a_real_orthosis_is_refused_beside_a_simulated_unit(bench):
    bench.step(ports.UnitOpened("memory"), ports.JointOpened("memory"))
    bench.run(1_500)
    bench.core.joint.unit.identity = "XM430-W210 id 1"
    conditions = conditions_of(bench.core, bench.now_ns, for_arming=True)
    assert conditions.permission.startswith("XM430-W210 id 1 is a real device and there is no authorisation file.")
    assert "XM430" in bench.core.joint.report().identity


@pytest.mark.hazard("H40")
@pytest.mark.parametrize("pressed", [True, False])
def test_where_a_button_begins_each_movement_a_fresh_press_does_and_once(bench, pressed):
    entry = Entry("P24-0815", "op", Stage.BUTTON_TRIGGERED, "Head", date(2026, 1, 1), date(2026, 2, 1), "", 3)
    bench.ready()
    bench.core.unit.identity, bench.core.patient = "P24-0815", "P007"
    book = Book("a.toml", "Bench", "", (entry,))
    bench.core.permits.holder = Holder(book, "op", today=date(2026, 1, 5), at_ns=bench.now_ns)
    if pressed:
        bench.press(Press(1))
    bench.lift(300)
    assert (bench.core.state is GatewayState.ARMED) is pressed
    assert (bench.servo.torque_nm() != 0.0) is pressed
    if pressed:  # what began has used it up
        assert "no fresh press" in bench.core.permits.why_not(bench.core, bench.now_ns, "movement")


def test_a_soft_release_falls_in_steps_and_current_may_go_on_meanwhile(bench):
    bench.ready().lift(600, torque_mnm=150).stimulate()
    bench.moves = None
    before = abs(bench.servo.torque_nm())
    bench.send(Release(10_000, bench.now_ns, 300))
    seen = []
    for _ in range(20):
        bench.run(20)
        seen.append(abs(bench.servo.torque_nm()))
    assert bench.core.state is GatewayState.DELIVERING
    assert bench.twin.drive() != ()
    assert min(torque for torque in seen[:5]) > 0.0  # it does not drop the limb
    assert max(seen) <= before + 0.02
    assert seen[-1] == 0.0


def test_a_release_without_end_is_cut_off(bench):
    bench.ready().lift(600, torque_mnm=150)
    bench.moves = None
    bench.send(Release(10_000, bench.now_ns, 60_000))
    bench.run(1_400)
    assert bench.servo.torque_nm() == 0.0


def test_a_release_under_way_ends_at_once_when_the_engine_falls_silent(bench):
    bench.ready().lift(600, torque_mnm=150)
    bench.moves = None
    bench.send(Release(10_000, bench.now_ns, 1_000))
    bench.engine_talks = False
    bench.run(190)
    assert bench.servo.torque_nm() != 0.0
    bench.run(30)
    assert bench.servo.torque_nm() == 0.0
    assert bench.core.state is GatewayState.ARMED
    bench.run(300)
    assert bench.core.state is GatewayState.LATCHED  # by then nobody can take it for a moment's delay


def test_a_release_that_is_said_again_and_again_prolongs_nothing(bench):
    bench.ready().lift(600, torque_mnm=150)
    bench.moves = None
    for number in range(14):
        bench.send(Release(10_000 + number, bench.now_ns, 60_000))
        bench.run(100)
    driver = bench.core.joint.unit.driver
    assert driver.confirmed_free
    assert driver.ready
    window_ns = bench.core.joint._letting_go_until_ns
    assert window_ns <= bench.now_ns + 200 * MS


@pytest.mark.parametrize("ramp_ms", [0, -1, -(1 << 31)])
def test_a_movement_that_ends_at_once_leaves_the_orthosis_ready_and_the_current_on(bench, ramp_ms):
    bench.ready().lift(600, torque_mnm=150).stimulate()
    bench.moves = None
    order = Free(10_000, bench.now_ns) if ramp_ms == 0 else Release(10_000, bench.now_ns, ramp_ms)
    bench.send(order)
    bench.run(10)
    assert bench.servo.torque_nm() == 0.0
    bench.run(1_000)
    assert bench.core.joint.ready
    assert bench.core.state is GatewayState.DELIVERING
    assert bench.facts(Refusal) == []


def test_a_movement_against_a_muscle_with_current_is_refused_and_the_current_goes_on(kit):
    bench = joint_bench(kit, angle_deg=20.0).ready().stimulate()
    bench.moves = (Assist, {"target_cdeg": 0, "speed_cdps": 3_000, "torque_mnm": 60})
    bench.send(bench.motion())
    bench.moves = None
    bench.run(1_000)
    assert [fact.rule for fact in bench.facts(Refusal)][:1] == ["J19"]
    assert bench.servo.torque_nm() == 0.0
    assert bench.core.joint.ready
    assert bench.core.state is GatewayState.DELIVERING


def test_of_an_orthosis_that_was_lost_no_posture_is_remembered(bench):
    bench.ready().lift(200)
    bench.send(Release(10_000, bench.now_ns, 1_000))
    bench.step(ports.JointGone("cable"))
    bench.moves = None
    assert bench.core.delivery.guard._joint.memory.posture.t_ns < 0
    assert not bench.core.joint.ok(bench.now_ns)
    assert bench.core.joint._letting_go_until_ns == 0


@pytest.mark.parametrize("late_ms", [2, 8, 12])
def test_an_adapter_that_holds_answers_back_ends_no_session(bench, late_ms):
    held = []
    hear, run = bench._hear, bench.run

    def later(answer):
        if answer:
            held.append((bench.now_ns + late_ms * MS, answer))

    def run_with_delay(ms):
        for _ in range(ms):
            run(1)
            while held and held[0][0] <= bench.now_ns:
                hear(held.pop(0)[1])

    bench._hear, bench.run = later, run_with_delay
    bench.ready().stimulate()
    bench.run(500)
    bench.lift(1_500)
    assert bench.core.state is GatewayState.DELIVERING, bench.core.cause


def test_one_lost_answer_of_an_idle_orthosis_does_not_end_the_current(bench):
    bench.ready().stimulate()
    hear = bench._hear
    bench._hear = lambda answer: setattr(bench, "_hear", hear) if answer else None
    bench.run(500)
    assert bench.core.state is GatewayState.DELIVERING, bench.core.cause


def test_a_wish_to_arm_is_not_carried_out_long_after(bench):
    bench.ready()
    bench.press(StopNow("F12"))
    bench.run(300)
    answer = bench.ask(reason="looked at, all well")
    bench.joint_gone = True  # nothing of the orthosis is heard, so it never gets ready
    bench.press(ConfirmArm(answer.number))
    bench.run(5_200)
    bench.joint_gone = False
    bench.run(2_000)
    assert bench.core.state is GatewayState.LATCHED
