"""Parts of the gateway that say what they are told to, and a core that is quiet, for tests that ask one part alone."""

from controller.drivers.orthoses.events import PairCheckFailed, Ready
from controller.drivers.stimulators.p24 import P24
from controller.gateway.core import GatewayCore
from safety.joint import Posture

AT = 50_000_000_000
HERE = Posture(AT, 1_200, -300, 45, True)


def calls_of(monkeypatch, owner, *names, gives=None):
    """Each call of these is remembered instead of made."""
    made = []
    for name in names:

        def call(*given, _name=name, **named):
            made.append((_name, *given, *named.values()))
            return gives

        monkeypatch.setattr(owner, name, call)
    return made


def quiet_core(now_ns):
    """A gateway that has made its first step and has nothing more to say."""
    made = GatewayCore(P24)
    made.step(now_ns, [])
    made.voice.begin()
    return made


def known_core(core, now_ns):
    """The same with a simulated unit that is known and tested, and everybody there."""
    core.unit.identity, core.unit.missing, core.stop_tested = "SIM0P24001", "", True
    core.watch.heard_engine(now_ns)
    core.watch.heard_front(now_ns)
    core.permits.note(core, now_ns)
    core.voice.begin()
    return core


class JointDriver:
    """A driver that says what it is told to."""

    def __init__(self):
        self.identity, self.ready, self.posture, self.confirmed_free = "", True, HERE, False
        self.done, self.due_ns, self.fails, self.words = [], 0, False, []

    def start(self, now_ns):
        return b"start"

    def feed(self, now_ns, data):
        return self.words

    def poll(self, now_ns, alive):
        self.done.append(("poll", now_ns, alive))
        return b"", [Ready()]

    def next_deadline(self):
        return self.due_ns

    def move(self, ticket, now_ns):
        if self.fails:
            raise PairCheckFailed("read back as 3 mNm")
        self.done.append(("move", ticket, now_ns))
        return b"move"

    def release(self, now_ns, ramp_ms):
        self.done.append(("release", now_ns, ramp_ms))
        return b"let go"

    def stop(self, now_ns):
        return b"stop"

    def rearm(self, now_ns):
        return b"rearm"


class JointGuard:
    """Says what it is told to, and remembers what it was asked."""

    def __init__(self):
        self.told, self.answer, self.limit, self.joint_rest_until_ns = [], "ticket", None, AT + 9

    def __getattr__(self, name):
        if name.startswith("_"):
            raise AttributeError(name)

        def call(*given, **named):
            self.told.append((name, *given, *([named] if named else [])))

        return call

    def admit(self, order, now_ns, conditions):
        self.told.append(("admit", order, now_ns, conditions))
        return self.answer

    def joint_limit(self):
        return self.limit

    def asked(self, name):
        return [each[1:] for each in self.told if each[0] == name]
