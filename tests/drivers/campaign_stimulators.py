"""A stimulator under a mix of faults: the real gateway with engine, screen and person, watched at the skin.

    0 s   connect, prescribe, STOP test, arm, bursts of 1.5 s          (no faults: current must flow)
    4 s   the mix begins, for 10 to 20 s; a person re-arms after each latch, a cable that came out is plugged in again;
          now and then STOP is pressed, or engine or screen fall silent for a while
    then  no faults: within RECOVERY_NS current flows again, and goes on as ordered for another 4 s

The observer sees the twin's `drive()` and its log of trains, and the tickets of the guard; nothing of the driver.
"""

import random
from typing import Any

from controller.drivers.stimulators.kind import stimulator
from controller.gateway import ports
from controller.gateway.core import GatewayCore
from controller.gateway.states import PERMITS_DELIVERY
from controller.vocabulary.facts import ArmDenied, ArmNumber, GatewayState
from controller.vocabulary.notices import EngineBeat, NeedPosition
from controller.vocabulary.requests import Arm, ConfirmArm, Heartbeat, Place, Prescribe, StopNow
from controller.wire.link import LinkLost, MemoryLink
from safety.orders import Admitted, ArmScope, Deliver, Purpose, Renew
from safety.stimulus import Waveform, biphasic
from sim.attached import Stimulator
from sim.catalogue import make
from sim.world import World
from tests.drivers.campaign_mix import MS, SECOND, Outcome, draw, host_side, longest_wait_ns, twin_of

START_NS = 1_000 * SECOND
FAULTS_FROM_NS = 4 * SECOND
RECOVERY_NS = 10 * SECOND
"""From the end of the last fault until current flows again, a person's re-arm and the guard's rest of 2 s included."""
AFTERMATH_NS, STEADY_NS = SECOND, 4 * SECOND
"""How long after the last fault it may still be noticed; how long all must then go well."""
CLEAR_NS = 1_500 * MS
"""How long the gateway may believe that it delivers while the skin gets less than was ordered."""
REACTION_NS = 100 * MS
"""From the end of a lease to the last pulse while the gateway's own bytes arrive as written."""
STOP_NS = 50 * MS
"""From a latch to the last pulse while the gateway's own bytes arrive as written."""
BEAT_NS, ORDER_NS, LOOK_NS = 100 * MS, 20 * MS, 100 * MS
INSTANTS_A_SECOND = 5_000
LEASE_NS = 120 * MS
BURST_NS = 1_500 * MS
SINGLE_US = 1_000_000
CLOCKED = ("p24-low",)
"""Units that are told every single pulse. Their twin lets the muscle go `AFTERGLOW_NS` after the last one, and a line
that holds bytes up changes the time between two pulses, so that there the period cannot be held to."""
AFTERGLOW_NS = 125 * MS
PERIOD_US, WIDTH_US, CEILING_UA = 30_000, 250, 20_000
PATIENT, DATE = "SIM01", "2026-01-05"
Key = tuple[int, int, int, int]
"""(channel, uA, us, us) of a train, as the twin names it."""
Skin = tuple[Key, ...]


class Still:
    """A limb that nobody looks at."""

    def cue(self, now_ns: int) -> str:
        return "unheard"

    def relax(self, now_ns: int) -> None:
        pass

    def advance(self, to_ns: int, drive: Any) -> None:
        pass

    def imu(self, now_ns: int) -> Any:
        return (0.0, 0.0, 0.0), (0.0, 0.0, 1.0)


class Observer:
    """What may be at the skin: trains of admitted orders, until their lease and the device's reaction are over."""

    def __init__(self, out: Outcome, watchdog_ns: int) -> None:
        self.until_ns: dict[Key, int] = {}
        self.current: Skin = ()
        self._out = out
        self._watchdog_ns = watchdog_ns
        self.bad_line_until_ns = 0
        self.wait_ns = 0
        self.afterglow_ns = 0
        self._dark_ns = 0
        self._latched_ns = 0
        self._silent_since_latch = False

    def admitted(self, ticket: Admitted) -> None:
        """The guard said yes."""
        if isinstance(ticket.order, Deliver):
            self.current = tuple(
                (train.channel, train.amplitude_ua, train.pulse_width_us, train.period_us)
                for train in ticket.order.trains
                if train.amplitude_ua
            )
        for key in self.current:
            self.until_ns[key] = max(self.until_ns.get(key, 0), ticket.expires_ns)

    def slack_ns(self, now_ns: int) -> int:
        """How long after its lease a train may run on: the unit's own watchdog while the line was not to be trusted."""
        if not self.trusts_line(now_ns):
            return self._watchdog_ns + self.wait_ns + REACTION_NS + self.afterglow_ns
        return REACTION_NS + self.afterglow_ns

    def trusts_line(self, now_ns: int) -> bool:
        """What the gateway writes arrives as it was written, and has done so for a while."""
        return now_ns > self.bad_line_until_ns + self._watchdog_ns + SECOND

    def look(self, now_ns: int, skin: Skin, core: GatewayCore, start_ns: int) -> None:
        """Compare the skin with the tickets and the gateway's state."""
        at_ns, out = now_ns - start_ns, self._out
        slack_ns = self.slack_ns(now_ns)
        for key in skin:
            if not self.was_admitted(key, now_ns - slack_ns):
                out.broken(at_ns, f"channel {key[0]} runs {key[1]} uA, {key[2]} us, {key[3]} us, which no order admits")
        latched = core.state is GatewayState.LATCHED
        if latched and not (core.cause and core.todo):
            out.broken(at_ns, f"latched without cause or todo ({core.cause!r}, {core.todo!r})")
        self._watch_latch(now_ns, at_ns, latched, bool(skin), core)
        lacking = core.state is GatewayState.DELIVERING and not self._all_flow(skin)
        if not lacking:
            self._dark_ns = now_ns
        elif now_ns - self._dark_ns > CLEAR_NS:
            out.broken(at_ns, "the gateway believes that it delivers, but the skin gets less than was ordered")

    def was_admitted(self, key: Key, since_ns: int = 0) -> bool:
        """This train or a stronger one was admitted, with a lease that ended at `since_ns` or later."""
        if self.until_ns.get(key, -1) >= since_ns:
            return True
        channel, amplitude_ua, width_us, period_us = key
        return any(
            until_ns >= since_ns
            and (other[0], other[2]) == (channel, width_us)
            and other[1] >= amplitude_ua
            and (other[3] <= period_us or (self.afterglow_ns and self.wait_ns))
            for other, until_ns in self.until_ns.items()
        )

    def _all_flow(self, skin: Skin) -> bool:
        return {key[0] for key in self.current} <= {key[0] for key in skin}

    def _watch_latch(self, now_ns: int, at_ns: int, latched: bool, flows: bool, core: GatewayCore) -> None:
        if not latched:
            self._latched_ns = 0
            self._silent_since_latch = False
        elif not self._latched_ns:
            self._latched_ns = now_ns
            self._out.causes.append((at_ns, core.cause))
        if latched and not flows:
            self._silent_since_latch = True
        elif latched and self.trusts_line(now_ns) and now_ns - self._latched_ns > STOP_NS + self.afterglow_ns:
            self._out.broken(at_ns, f"output goes on although the gateway is latched ({core.cause})")
        elif latched and self._silent_since_latch and now_ns - self._latched_ns > self.wait_ns + self.afterglow_ns:
            self._out.broken(at_ns, f"current came back although the gateway is latched ({core.cause})")


class Session:
    """One seed on one stimulator."""

    def __init__(self, device: str, seed: int, unit: str = "") -> None:
        rng = random.Random(f"{device}/{seed}")
        self.now_ns = START_NS
        self.kind = stimulator(unit or device)
        twin = twin_of(self.kind.name)
        self.log: list[dict[str, Any]] = []
        self.here, there = MemoryLink.pair()
        self.unit = Stimulator(twin, make(twin, seed=seed, log=self.log.append), there)
        self.core, self.world = self._build(seed)
        span_ms = rng.randint(10_000, 20_000)
        self.mix = draw(rng, device, span_ms)
        self.faults_end_ns = START_NS + FAULTS_FROM_NS + span_ms * MS
        self.out = Outcome(device, seed, tuple(fault.text for fault in self.mix))
        self.observer = Observer(self.out, self.kind.capabilities.watchdog_ms * MS)
        self.observer.afterglow_ns = AFTERGLOW_NS if device in CLOCKED else 0
        self._channels = rng.choice((1, 2))
        self._step_ua = max(2_000, self.kind.limits.amplitude_step_ua)
        self._top_ua = rng.choice((16_000, 18_000))
        self._stops_ns = sorted(
            self.faults_end_ns - rng.randint(0, span_ms) * MS for _ in range(rng.choice((0, 0, 1, 2)))
        )
        self._replug_after_ns = rng.randint(300, 3_000) * MS
        self._silences = [self._silence(rng, span_ms) for _ in range(rng.choice((0, 0, 1, 2)))]
        self._deaf_orders = rng.choice((0, 2, 20))
        self._rng = rng
        self._inputs: list[ports.Input] = [ports.UnitOpened("memory")]
        self._unplugged_ns = 0
        self._seq = 0
        self._ua = 0
        self._burst_from_ns = 0
        self._orders_left = 0
        self._number: ArmNumber | None = None
        self._ask_again_ns = START_NS + 300 * MS
        self._tested = False
        self._instants = 0
        self._beat_due_ns = self._order_due_ns = self._look_due_ns = START_NS
        guard = self.core.delivery.guard
        admit = guard.admit

        def witnessed(order: Any, now_ns: int, conditions: Any) -> Any:
            answer = admit(order, now_ns, conditions)
            if isinstance(answer, Admitted):
                self.observer.admitted(answer)
            return answer

        guard.admit = witnessed  # type: ignore[method-assign]

    def _silence(self, rng: random.Random, span_ms: int) -> tuple[int, int, bool]:
        """(from, to, whether it is the engine's): a while in which engine or screen is not heard."""
        from_ns = self.faults_end_ns - rng.randint(0, span_ms) * MS
        return from_ns, min(from_ns + rng.randint(50, 2_500) * MS, self.faults_end_ns), rng.random() < 0.6

    def _talks(self, engine: bool) -> bool:
        return not any(begin <= self.now_ns < end and who is engine for begin, end, who in self._silences)

    def _build(self, seed: int) -> tuple[GatewayCore, World]:
        return GatewayCore(self.kind), World(START_NS, Still(), stimulator=self.unit, seed=seed)

    # -- the run -------------------------------------------------------------------------------------------------------

    def _prescribe(self) -> None:
        for channel in range(1, self._channels + 1):
            self._ask(Prescribe(PATIENT, DATE, channel, "forearm", 2_500, CEILING_UA, 8_000))
        self._ask(Place(PATIENT, DATE, "seated", False))
        self._inputs.append(ports.FromEngine(NeedPosition("seated")))
        self.core.delivery.guard._memory.identified = set(range(1, self._channels + 1))
        self.core.delivery.guard._memory.fitted = dict.fromkeys(range(1, self._channels + 1), Waveform(10_000, 0, 1))

    def run(self) -> Outcome:
        """All of it."""
        self._prescribe()
        self._until(START_NS + FAULTS_FROM_NS)
        if not self._has_acted():
            self.out.broken(
                FAULTS_FROM_NS, f"without any fault there is no output ({self.core.state}, {self._blocked()})"
            )
            return self.out
        spoilt = host_side(self.mix)
        self.observer.wait_ns = longest_wait_ns(spoilt)
        if spoilt:
            self.observer.bad_line_until_ns = self.faults_end_ns
        for fault in self.mix:
            self.world.add(fault, self.now_ns)
        self._until(self.faults_end_ns)
        self.world.clear("", self.now_ns)
        self._recover()
        self._close()
        return self.out

    def _recover(self) -> None:
        self._ask_again_ns = min(self._ask_again_ns, self.now_ns + 500 * MS)
        ends_ns = self.faults_end_ns + RECOVERY_NS
        latches = -1
        while self.now_ns < ends_ns and latches != self.out.latches:
            if not self._well():
                self._until(min(self.now_ns + 20 * MS, ends_ns))
                continue
            # What was lost just before the end may be noticed only now.
            latches, self.out.recovered_ns = self.out.latches, self.now_ns - self.faults_end_ns
            self._until(max(self.now_ns, self.faults_end_ns + AFTERMATH_NS))
        if latches != self.out.latches:
            self.out.recovered_ns = -1
            why = f"{self.core.state}, {self.core.cause or self._blocked()}"
            self.out.broken(self._at(), f"no output {RECOVERY_NS // SECOND} s after the last fault ({why})")
            return
        self._until(self.now_ns + STEADY_NS)
        if self.out.latches > latches:
            self.out.broken(self._at(), f"latched again after the last fault ({self.out.causes[-1][1]})")

    def _has_acted(self) -> bool:
        return bool(self.unit.twin.drive()) or any(entry["kind"] == "train" for entry in self.log)

    def _well(self) -> bool:
        return self.core.state is GatewayState.DELIVERING and len(self.unit.twin.drive()) == self._channels

    def _close(self) -> None:
        """Pull everything out and look at the twin's own log: each train within the tickets of its kind."""
        self.world.close(self.now_ns)
        for entry in self.log:
            if entry["kind"] == "train":
                self.out.count += entry["pulses"]
                # One pulse has no period.
                key = (entry["channel"], entry["amplitude_ua"], entry["width_us"], entry["period_us"] or SINGLE_US)
                if not self.observer.was_admitted(key):
                    self.out.broken(entry["t_start_ns"] - START_NS, f"a train in the log that no order admits: {entry}")

    def _until(self, ends_ns: int) -> None:
        while self.now_ns < ends_ns:
            due_ns = min(
                ends_ns,
                self.world.next_deadline(),
                self.core.next_deadline(),
                self._beat_due_ns,
                self._order_due_ns,
                self._look_due_ns,
            )
            self.now_ns = max(self.now_ns + 1, due_ns)
            self._instants += 1
            if self._instants > INSTANTS_A_SECOND * ((self.now_ns - START_NS) // SECOND + 1):
                raise RuntimeError(f"the gateway, the unit or its driver never rests ({self.core.state})")
            self._instant()

    def _instant(self) -> None:
        now_ns = self.now_ns
        self.world.live(now_ns)
        self._look()
        self._hear()
        if now_ns >= self._beat_due_ns:
            self._beat_due_ns = now_ns + BEAT_NS
            self._inputs += [ports.FromFront(Heartbeat(now_ns))] * self._talks(engine=False)
            self._inputs += [ports.FromEngine(EngineBeat(now_ns))] * self._talks(engine=True)
        if now_ns >= self._look_due_ns:
            self._look_due_ns = now_ns + LOOK_NS
            self._person(now_ns)
        if now_ns >= self._order_due_ns:
            self._order_due_ns = now_ns + ORDER_NS
            if self._talks(engine=True):
                self._engine(now_ns)
        for _ in range(60):
            wrote = self._step()
            self.world.feed(now_ns)
            self._look()
            self._hear()
            if not wrote and not self._inputs:
                return
        self.out.broken(self._at(), "gateway and unit never fall silent")

    def _step(self) -> bool:
        inputs, self._inputs = self._inputs, []
        wrote = False
        for output in self.core.step(self.now_ns, inputs):
            if isinstance(output, ports.ToUnit):
                wrote = True
                try:
                    self.here.write(output.data)
                except LinkLost:
                    self._inputs.append(ports.UnitGone("the cable is out"))
            elif isinstance(output, ports.OpenUnit):
                self._open()
            elif isinstance(output, ports.ToFront):
                self._answer(output.message)
            else:
                wrote |= self._perform(output)
        return wrote

    def _perform(self, output: ports.Output) -> bool:
        """What else the gateway wants done; True when it wrote to a device."""
        return False

    def _open(self) -> None:
        if not self._unplugged_ns or self.now_ns - self._unplugged_ns < self._replug_after_ns:
            self._inputs.append(ports.UnitMissing("There is no such port."))
            return
        self._unplugged_ns = 0
        self.here, there = MemoryLink.pair()
        self.world.plug(self.unit.name, there, self.now_ns)
        self._inputs.append(ports.UnitOpened("memory"))

    def _hear(self) -> None:
        if self._unplugged_ns:
            return
        try:
            data = self.here.read(1 << 16)
        except LinkLost as lost:
            self._unplugged_ns = self.now_ns
            self._inputs.append(ports.UnitGone(str(lost)))
            return
        if data:
            self._inputs.append(ports.UnitBytes(data))

    def _look(self) -> None:
        self.observer.look(self.now_ns, tuple(self.unit.twin.drive()), self.core, START_NS)

    # -- the person ----------------------------------------------------------------------------------------------------

    def _person(self, now_ns: int) -> None:
        if self._stops_ns and now_ns >= self._stops_ns[0]:
            self._stops_ns.pop(0)
            self._ask(StopNow("F12"))
        if self._number is not None:
            self._ask(ConfirmArm(self._number.number))
            self._number = None
        elif self.core.state not in PERMITS_DELIVERY and now_ns >= self._ask_again_ns:
            self._ask_again_ns = now_ns + self._rng.randint(5, 15) * 100 * MS
            if not self._tested:
                self._tested = True
                self._ask(StopNow("F12"))
            else:
                self._ask(Arm(ArmScope.SESSION, "looked after"))

    def _ask(self, request: Any) -> None:
        self._inputs.append(ports.FromFront(request))

    def _answer(self, message: Any) -> None:
        if isinstance(message, ArmNumber):
            self._number = message
        elif isinstance(message, ArmDenied) and not message.reason:
            self.out.broken(self._at(), "arming was denied without a reason")

    def _blocked(self) -> str:
        return self.core.blocked(self.now_ns)

    def _at(self) -> int:
        return self.now_ns - START_NS

    # -- the engine ----------------------------------------------------------------------------------------------------

    def _engine(self, now_ns: int) -> None:
        """Bursts whenever the gateway permits; after a latch it goes on for `_deaf_orders` orders, as if it had not
        heard yet."""
        permitted = self.core.state in PERMITS_DELIVERY
        if self._burst_from_ns:
            if not permitted and self._orders_left <= 0:
                self._burst_from_ns = 0
                return
            self._orders_left = self._deaf_orders if permitted else self._orders_left - 1
            self._go_on(now_ns)
        elif permitted and now_ns >= self.core.delivery.guard.rest_until_ns:
            self._burst_from_ns, self._ua, self._orders_left = now_ns, 0, self._deaf_orders
            self._go_on(now_ns)

    def _go_on(self, now_ns: int) -> None:
        self._seq += 1
        times = (self._seq, now_ns, now_ns + LEASE_NS)
        if now_ns - self._burst_from_ns >= BURST_NS:
            self._burst_from_ns = 0
            self._inputs.append(ports.FromEngine(Deliver(*times, Purpose.ASSIST, (), sensor_ns=now_ns - 5 * MS)))
            return
        if self._ua >= self._top_ua and self._rng.random() < 0.7:
            self._inputs.append(ports.FromEngine(Renew(*times, sensor_ns=now_ns - 5 * MS)))
            return
        self._ua = min(self._ua + self._step_ua, self._top_ua)
        limits = self.kind.limits
        gap_us = 100 if limits.interphase_us is None else limits.interphase_us
        trains = tuple(
            biphasic(channel, self._ua, WIDTH_US, gap_us, PERIOD_US) for channel in range(1, self._channels + 1)
        )
        self._inputs.append(ports.FromEngine(Deliver(*times, Purpose.ASSIST, trains, sensor_ns=now_ns - 5 * MS)))


def run(device: str, seed: int) -> Outcome:
    """One seed."""
    return Session(device, seed).run()
