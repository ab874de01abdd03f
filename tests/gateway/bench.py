"""A gateway on a bench: the real core, guard and driver, the real twin at the far end of a cable in memory."""

from dataclasses import replace
from types import SimpleNamespace

from controller.drivers.stimulators.p24 import P24, P24Driver
from controller.gateway import ports
from controller.gateway.core import GatewayCore
from controller.vocabulary.facts import ArmDenied, ArmNumber, GatewayState
from controller.vocabulary.notices import EngineBeat, NeedPosition, OpenRecord
from controller.vocabulary.requests import Arm, ConfirmArm, Heartbeat, Place, Prescribe, StopNow
from controller.wire.link import MemoryLink
from controller.wire.sciencemode.frame import Framer
from controller.wire.sciencemode.p24 import decode_request
from safety.orders import ArmScope, Deliver, Purpose, Renew
from safety.stimulus import Waveform, biphasic
from sim.devices.p24 import P24Twin

MS = 1_000_000
SECOND = 1_000 * MS
FOREVER = 1 << 62
PATIENT, DATE = "SIM01", "2026-01-05"
CEILING_UA = 20_000
FOLDER = "/somewhere/sub-SIM01/ses-1"


class Spy(P24Driver):
    """The driver, which also remembers what each `poll` was told of being alive."""

    def __init__(self):
        super().__init__()
        self.polls = []

    def poll(self, now_ns, alive):
        self.polls.append((now_ns, alive, self.confirmed_zero))
        return super().poll(now_ns, alive)


class Bench:
    """Time is `now_ns`; `run` lets it pass with engine and screen talking as long as they are meant to.

    `wire` holds (time, bytes) written to the unit; `heard` is a hook: what of it reaches the twin.
    """

    def __init__(self, identity="SIM0P24001", **wants):
        self.now_ns = 1_000 * SECOND
        self.said = []  # outputs of the core, all of them
        self.twin_log = []
        self.twin = P24Twin(log=self.twin_log.append)
        self.twin.identity = identity
        self.core = GatewayCore(replace(P24, driver=Spy), **wants)
        self.wire = []
        self.heard = lambda data: data
        self.engine_talks = self.screen_talks = True
        self.renews = False
        self.on_since_ns = self.off_ns = 0
        self.closed = False
        self._seq = self._press = 0
        self._beat_ns = self._renew_ns = self.now_ns
        self._plug_in()

    def _plug_in(self):
        self._here, self._there = MemoryLink.pair()

    # -- what happens ------------------------------------------------------------------------------------------

    def step(self, *inputs):
        """One step and everything that follows from it at the same instant; gives the outputs of the first."""
        outputs = self.core.step(self.now_ns, list(inputs))
        self._carry_out(outputs)
        return outputs

    def _carry_out(self, outputs):
        for _ in range(50):
            self.said += outputs
            for output in outputs:
                if isinstance(output, ports.ToUnit):
                    self.wire.append((self.now_ns, output.data))
                    self._here.write(self.heard(output.data))
            # What is written leaves now; a closed cable carries nothing either way.
            answer = self.twin.feed(self.now_ns, self._there.read()) if not self.closed else b""
            self._look()
            if not answer:
                return
            outputs = self.core.step(self.now_ns, [ports.UnitBytes(answer)])
        raise AssertionError("gateway and unit never fell silent")

    def _look(self):
        flows = bool(self.twin.drive())
        if flows and not self.on_since_ns:
            self.on_since_ns, self.off_ns = self.now_ns, 0
        elif not flows and self.on_since_ns:
            self.on_since_ns, self.off_ns = 0, self.now_ns

    def run(self, ms):
        """Let `ms` milliseconds pass."""
        ends_ns = self.now_ns + ms * MS
        while self.now_ns < ends_ns:
            due = min(self.core.next_deadline(), self.twin.next_deadline(), self._beat_ns, ends_ns)
            if self.renews and self.engine_talks:
                due = min(due, self._renew_ns)
            self.now_ns = max(self.now_ns + 1, due)
            answer = self.twin.advance(self.now_ns)
            self._look()
            inputs = [ports.UnitBytes(answer)] if answer and not self.closed else []
            if self.now_ns >= self._beat_ns:
                self._beat_ns = self.now_ns + 100 * MS
                inputs += [ports.FromFront(Heartbeat(self.now_ns))] * self.screen_talks
                inputs += [ports.FromEngine(EngineBeat(self.now_ns))] * self.engine_talks
            if self.renews and self.engine_talks and self.now_ns >= self._renew_ns:
                self._renew_ns = self.now_ns + 20 * MS
                inputs.append(ports.FromEngine(self.renewal()))
            self.step(*inputs)

    def press(self, *requests):
        """A person at the screen."""
        return self.step(*[ports.FromFront(request) for request in requests])

    def send(self, *orders):
        """The engine."""
        return self.step(*[ports.FromEngine(order) for order in orders])

    # -- orders --------------------------------------------------------------------------------------------------

    def order(self, *amplitudes_ua, purpose=Purpose.ASSIST, press=0, **changes):
        """A `Deliver` on channels 1, 2 ... with these amplitudes."""
        self._seq += 1
        fields = {"seq": self._seq, "stamp_ns": self.now_ns, "expires_ns": self.now_ns + 120 * MS}
        fields |= {"sensor_ns": self.now_ns - 5 * MS} | changes
        trains = tuple(biphasic(n, ua, 250, 100, 29_000) for n, ua in enumerate(amplitudes_ua, 1))
        return Deliver(purpose=purpose, trains=trains, press=press, **fields)

    def renewal(self):
        self._seq += 1
        return Renew(self._seq, self.now_ns, self.now_ns + 120 * MS, self.now_ns - 5 * MS)

    # -- the usual ways --------------------------------------------------------------------------------------------

    def connect(self):
        """Open the port, and let the handshake finish."""
        self.step(ports.UnitOpened("memory"))
        if self.core.log.blocked:  # it keeps records: the engine names their folder, and the disk takes them
            self.send(OpenRecord(FOLDER))
            self.step(ports.LogKept(FOLDER))
        self.run(200)
        return self

    def prescribe(self, ceiling_ua=CEILING_UA):
        for channel in (1, 2):
            self.press(Prescribe(PATIENT, DATE, channel, "forearm", 2_500, ceiling_ua, 8_000))
        self.send(NeedPosition("seated"))
        self.press(Place(PATIENT, DATE, "seated", False))
        self.core.delivery.guard._memory.identified = {1, 2}  # how that comes about: test_identified_and_placed
        self.core.delivery.guard._memory.fitted = dict.fromkeys({1, 2}, Waveform(10_000, 0, 1))
        return self

    def ask(self, scope=ArmScope.SESSION, reason=""):
        """The arm key: the gateway's answer."""
        answers = [o.message for o in self.press(Arm(scope, reason)) if isinstance(o, ports.ToFront)]
        return next(answer for answer in answers if isinstance(answer, ArmNumber | ArmDenied))

    def arm(self, scope=ArmScope.SESSION, reason=""):
        """STOP test if none was made yet, arm key, confirm key."""
        if not self.core.stop_tested:
            self.press(StopNow("F12"))
            self.run(200)
        answer = self.ask(scope, reason)
        assert isinstance(answer, ArmNumber), answer
        self.press(ConfirmArm(answer.number))
        self.run(200)
        assert self.core.state is GatewayState.ARMED
        return self

    def stimulate(self, to_ua=6_000):
        """Ramp channel 1 up, then go on renewing."""
        for ua in range(2_000, to_ua + 1, 2_000):
            self.run(25)
            self.send(self.order(ua))
        self._renew_ns = self.now_ns + 20 * MS
        self.renews = True
        assert self.core.state is GatewayState.DELIVERING
        assert self.twin.drive() == ((1, to_ua, 250, 29_000),)
        return self

    # -- what was seen -----------------------------------------------------------------------------------------------

    def facts(self, kind, outputs=None):
        return [
            output.message
            for output in (self.said if outputs is None else outputs)
            if isinstance(output, ports.ToEngine | ports.ToFront) and isinstance(output.message, kind)
        ]

    def logged(self, kind):
        return [output.data for output in self.said if isinstance(output, ports.Log) and output.kind == kind]

    def requests(self, since_ns=0):
        """What was said to the unit, decoded."""
        framer = Framer()
        data = b"".join(data for at_ns, data in self.wire if at_ns >= since_ns)
        return [decode_request(frame) for frame in framer.feed(data)]


def in_state(state):
    """A bench in that state of the gateway."""
    bench = Bench()
    if state is GatewayState.CLOSED:
        bench.run(10)
        return bench
    if state is GatewayState.CONNECTED:
        bench.heard = lambda data: b""  # the first stop is lost on the way
        bench.step(ports.UnitOpened("memory"))
        bench.heard = lambda data: data
        return bench
    bench.connect().prescribe()
    if state is GatewayState.DISARMED:
        return bench
    bench.arm()
    if state is GatewayState.ARMED:
        return bench
    bench.stimulate()
    bench.run(100)
    if state is GatewayState.RESTING:
        bench.renews = False
        bench.send(bench.order())
    elif state is GatewayState.LATCHED:
        bench.press(StopNow("F12"))
        bench.run(200)
    return bench


KIT = SimpleNamespace(Bench=Bench, in_state=in_state, MS=MS, SECOND=SECOND, PATIENT=PATIENT, DATE=DATE)
