"""A powered orthosis under a mix of faults: the real gateway, a sound stimulator, and a wrist in the orthosis.

The course is that of `campaign_stimulators`; instead of bursts the engine asks for movements of 1.5 s, extension and
back, and lets go over 300 ms. The observer sees the torque at the limb, the twin's torque register and the guard's
tickets: no torque beyond what was admitted, none without a lease once the servo's reaction is over.
"""

from typing import Any

from controller.drivers.orthoses.kind import orthosis
from controller.gateway import ports
from controller.gateway.core import GatewayCore
from controller.gateway.states import PERMITS_DELIVERY
from controller.vocabulary.facts import GatewayState
from controller.vocabulary.requests import PrescribeJoint
from controller.wire.link import LinkLost, MemoryLink
from safety.joint import Assist, Hold, Release
from safety.orders import Admitted
from sim.attached import Orthosis
from sim.catalogue import make
from sim.patient import WristPatient
from sim.world import World
from tests.drivers.campaign_mix import MS, SECOND, Outcome, host_side
from tests.drivers.campaign_stimulators import (
    CLEAR_NS,
    DATE,
    LEASE_NS,
    PATIENT,
    REACTION_NS,
    START_NS,
    Observer,
    Session,
)

RAMP_MS = 300
TORQUE_MNM, STEP_MNM = 900, 100
MOVE_NS = 1_500 * MS
BAD_LINE_NS = SECOND
"""How long torque off may need while what the gateway writes is lost or damaged; the servo's own watchdog is faster."""
GEAR_FAULTS = ("stuck-joint", "slow-joint")
LASTING = ("overload", "overheat", "low-battery", "lost-bus-watchdog")


class JointObserver(Observer):
    """What may push at the limb: admitted torque, until its lease and the servo's reaction are over."""

    def __init__(self, out: Outcome, twin: Any, watchdog_ns: int) -> None:
        super().__init__(out, watchdog_ns)
        self.gear_is_sound = self.has_watchdog = True
        self.faults_end_ns = 0
        self._twin = twin
        self._tickets: list[tuple[int, int]] = []  # until when (ns), how much (mNm)
        self._idle_ns = 0
        self._off_since_latch = False

    def admitted(self, ticket: Admitted) -> None:
        """The guard said yes."""
        order: object = ticket.order
        if isinstance(order, Hold | Assist):
            self._tickets = [*self._tickets[-200:], (order.expires_ns, order.torque_mnm)]

    def letting_go(self, now_ns: int) -> None:
        """The engine lets go over a ramp."""
        if self._tickets and self._tickets[-1][0] >= now_ns:
            self._tickets.append((now_ns + RAMP_MS * MS, self._tickets[-1][1]))

    def slack_ns(self, now_ns: int) -> int:
        """How long after its lease torque may last."""
        if self.trusts_line(now_ns):
            return REACTION_NS
        if not self.has_watchdog:
            return now_ns
        return self._watchdog_ns + self.wait_ns + BAD_LINE_NS

    def look(self, now_ns: int, skin: Any, core: GatewayCore, start_ns: int) -> None:
        """Compare the limb with the tickets and the gateway's state."""
        at_ns, out = now_ns - start_ns, self._out
        pushed_mnm = self._pushed_mnm()
        since_ns = now_ns - self.slack_ns(now_ns)
        live = [torque for until_ns, torque in self._tickets if until_ns >= since_ns]
        if pushed_mnm > 1 and not live:
            out.broken(at_ns, f"the orthosis pushes with {pushed_mnm:.0f} mNm, which no order admits")
        elif pushed_mnm > max(live, default=0) * 1.05 + 10 and self.gear_is_sound:
            out.broken(at_ns, f"the orthosis pushes with {pushed_mnm:.0f} mNm, admitted were {max(live, default=0)}")
        latched = core.state is GatewayState.LATCHED
        if latched and not (core.cause and core.todo):
            out.broken(at_ns, f"latched without cause or todo ({core.cause!r}, {core.todo!r})")
        self._watch_latch(now_ns, at_ns, latched, pushed_mnm > 1, core)
        if not core.joint.on or self._twin.table.get("torque_enable"):
            self._idle_ns = now_ns
        elif now_ns - self._idle_ns > CLEAR_NS:
            out.broken(at_ns, "the gateway believes that the orthosis moves, but its torque is off")

    def _pushed_mnm(self) -> float:
        """What the limb gets; where the gear holds it too, what the motor's current alone would give."""
        if self.gear_is_sound:
            return abs(float(self._twin.torque_nm())) * 1000
        motor = self._twin.motor
        return abs(float(motor.units * motor._model.torque_unm)) / 1000


class JointSession(Session):
    """One seed on one orthosis."""

    def __init__(self, device: str, seed: int) -> None:
        self.joint_kind = orthosis(device)
        self.joint_here, there = MemoryLink.pair()
        self.joint_log: list[dict[str, Any]] = []
        self.joint = Orthosis(device, make(device, seed=seed, log=self.joint_log.append), there)
        super().__init__(device, seed, unit="p24")
        watchdog_ns = self.joint_kind.capabilities.watchdog_ms * MS
        self.observer = self.watcher = JointObserver(self.out, self.joint.twin, watchdog_ns)
        names = {fault.name for fault in self.mix}
        self.watcher.gear_is_sound = not names & set(GEAR_FAULTS)
        self.watcher.has_watchdog = not ("lost-bus-watchdog" in names and host_side(self.mix))
        self.watcher.faults_end_ns = self.faults_end_ns
        self._inputs.append(ports.JointOpened("memory"))
        self._joint_out_ns = 0
        self._torque_mnm = 0
        self._powered_ns = 0
        self._aims = (0, -3_000)
        self._moves = 0

    def _build(self, seed: int) -> tuple[GatewayCore, World]:
        core = GatewayCore(self.kind, orthosis=self.joint_kind)
        person = WristPatient(seed, start_ns=START_NS)
        return core, World(START_NS, person, stimulator=self.unit, orthosis=self.joint, seed=seed)

    def _prescribe(self) -> None:
        super()._prescribe()
        self._ask(PrescribeJoint(PATIENT, DATE, "wrist", "right", -5_500, 5_000, TORQUE_MNM))

    def _has_acted(self) -> bool:
        return any(entry["kind"] == "torque" for entry in self.joint_log) or self._well()

    def _well(self) -> bool:
        return self.core.joint.on and abs(self.joint.twin.torque_nm()) > 0.1

    def _close(self) -> None:
        self.world.close(self.now_ns)
        runs = [entry for entry in self.joint_log if entry["kind"] == "torque"]
        self.out.count = len(runs)
        for run_ in runs:
            if run_["peak_mnm"] > TORQUE_MNM * 1.05:
                self.out.broken(run_["t_start_ns"] - START_NS, f"a push in the log beyond the ceiling: {run_}")

    # -- the orthosis' port --------------------------------------------------------------------------------------------

    def _perform(self, output: ports.Output) -> bool:
        if isinstance(output, ports.ToJoint):
            try:
                self.joint_here.write(output.data)
            except LinkLost:
                return False
            return True
        if isinstance(output, ports.OpenJoint):
            if not self._joint_out_ns or self.now_ns - self._joint_out_ns < self._replug_after_ns:
                self._inputs.append(ports.JointMissing("There is no such port."))
            else:
                self._joint_out_ns = 0
                self.joint_here, there = MemoryLink.pair()
                self.world.plug(self.joint.name, there, self.now_ns)
                self._inputs.append(ports.JointOpened("memory"))
        return False

    def _hear(self) -> None:
        super()._hear()
        if self._joint_out_ns:
            return
        try:
            data = self.joint_here.read(1 << 16)
        except LinkLost as lost:
            self._joint_out_ns = self.now_ns
            self._inputs.append(ports.JointGone(str(lost)))
            return
        if data:
            self._inputs.append(ports.JointBytes(data))

    # -- the person ----------------------------------------------------------------------------------------------------

    def _person(self, now_ns: int) -> None:
        """Does what the screen says where it says to switch the orthosis off and on."""
        core = self.core
        told = f"{core.todo} {core.blocked(now_ns)}".lower()
        after = now_ns >= self.faults_end_ns and now_ns - self._powered_ns > 3 * SECOND
        if after and core.state is GatewayState.LATCHED and "power off and on" in told:
            self._powered_ns = now_ns
            self.world.suffer(self.joint, "reset", "", now_ns)
        super()._person(now_ns)

    # -- the engine ----------------------------------------------------------------------------------------------------

    def _engine(self, now_ns: int) -> None:
        permitted = self.core.state in PERMITS_DELIVERY
        if self._burst_from_ns:
            if not permitted and self._orders_left <= 0:
                self._burst_from_ns = 0
                return
            self._orders_left = self._deaf_orders if permitted else self._orders_left - 1
            self._go_on(now_ns)
        elif permitted and now_ns >= self.core.delivery.guard.joint_rest_until_ns and self.core.joint.ok(now_ns):
            self._burst_from_ns, self._torque_mnm, self._orders_left = now_ns, 0, self._deaf_orders
            self._moves += 1
            self._go_on(now_ns)

    def _go_on(self, now_ns: int) -> None:
        self._seq += 1
        if now_ns - self._burst_from_ns >= MOVE_NS:
            self._burst_from_ns = 0
            self.watcher.letting_go(now_ns)
            self._inputs.append(ports.FromEngine(Release(self._seq, now_ns, RAMP_MS)))
            return
        self._torque_mnm = min(self._torque_mnm + STEP_MNM, TORQUE_MNM)
        aim_cdeg = self._aims[self._moves % 2]
        order = Assist(self._seq, now_ns, now_ns + LEASE_NS, aim_cdeg, 3_000, self._torque_mnm, now_ns - 5 * MS)
        self._inputs.append(ports.FromEngine(order))


def run(device: str, seed: int) -> Outcome:
    """One seed."""
    return JointSession(device, seed).run()
