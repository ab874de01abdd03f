"""Whatever the other two processes say: it is refused, it stops, or it is nothing, and the gateway goes on."""

import socket
import typing

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from controller.channel.codec import KINDS, decode, encode
from controller.channel.line import MESSAGE_BYTES_MAX, Line
from controller.drivers.stimulators.p24 import P24
from controller.gateway import ports
from controller.gateway import shell as shell_module
from controller.gateway.core import GatewayCore
from controller.vocabulary.facts import GatewayState, Latched, Refusal
from controller.vocabulary.notices import Constrain, ConstrainJoint, EngineBeat, Notice, OpenRecord, ToAudit
from controller.vocabulary.requests import Press, Request, StopNow
from safety.joint import Assist, Free, Hold, Release
from safety.orders import Deliver, Purpose, Renew, Stop, StopReason
from safety.stimulus import Point, Train
from tests.channel.strategies import instances

pytestmark = pytest.mark.hazard("H36")
MS = 1_000_000
I32, U32 = st.integers(-(2**31), 2**31 - 1), st.integers(0, 2**32 - 1)
U64, TIME = st.integers(0, 2**64 - 1), st.integers(-(2**63), 2**63 - 1)
TRAINS = st.lists(
    st.builds(
        Train, st.integers(0, 255), st.lists(st.builds(Point, st.integers(0, 65_535), I32), max_size=4).map(tuple), U32
    ),
    max_size=3,
).map(tuple)
ORDERS = st.one_of(
    st.builds(Deliver, U64, TIME, TIME, st.sampled_from(Purpose), TRAINS, U32, TIME),
    st.builds(Renew, U64, TIME, TIME, TIME),
    st.builds(Stop, U64, TIME, st.sampled_from(StopReason)),
    st.builds(Hold, U64, TIME, TIME, I32, I32, TIME),
    st.builds(Assist, U64, TIME, TIME, I32, I32, I32, TIME),
    st.builds(Release, U64, TIME, I32),
    st.builds(Free, U64, TIME),
)
OF_ENGINE = st.one_of(ORDERS, *map(instances, typing.get_args(Notice))).map(ports.FromEngine)
OF_SCREEN = st.one_of(*map(instances, typing.get_args(Request))).map(ports.FromFront)
ANY_STATE = settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))


def longest(outputs):
    sizes = [len(encode(o.message)[1]) + 1 for o in outputs if isinstance(o, ports.ToEngine | ports.ToFront)]
    return max(sizes, default=0)


@pytest.mark.parametrize("state", [GatewayState.DISARMED, GatewayState.DELIVERING, GatewayState.LATCHED])
@ANY_STATE
@given(inputs=st.lists(st.one_of(OF_ENGINE, OF_SCREEN), min_size=1, max_size=8), together=st.booleans())
def test_the_core_takes_every_message_there_can_be(kit, state, inputs, together):
    bench = kit.in_state(state)
    for batch in [inputs] if together else [[entry] for entry in inputs]:
        assert longest(bench.step(*batch)) <= MESSAGE_BYTES_MAX
    bench.run(300)
    assert longest(bench.said) <= MESSAGE_BYTES_MAX


@pytest.mark.parametrize(
    "entry",
    [
        ports.FromFront(StopNow("\U0001f9e0" * 1_000)),
        ports.FromEngine(Constrain(1, "\U0001f9e0" * 4_096, 2_500, 20_000, 300, 20_000, 5_000)),
        ports.FromEngine(ConstrainJoint("\U0001f9e0" * 4_096, 1, 1, 1, 2, 2)),
    ],
    ids=["stop", "constrain", "constrain the joint"],
)
def test_an_answer_to_the_longest_texts_fits_the_line(stimulating, entry):
    assert decode(*encode(entry.message)) == entry.message
    before = len(stimulating.said)
    for _ in range(2):  # the second STOP is said beside the first cause
        stimulating.step(entry)
        stimulating.run(150)
    assert longest(stimulating.said[before:]) <= MESSAGE_BYTES_MAX
    assert stimulating.facts(Latched | Refusal, stimulating.said[before:]) or entry.message.region


def test_words_for_the_record_of_changes_may_be_nested_without_end(stimulating):
    stimulating.send(ToAudit("screening", "SIM01", "[" * 15_000))
    assert stimulating.core.state is GatewayState.DELIVERING


# -- the shell ----------------------------------------------------------------------------------------------------


class NoSignals:
    """Stands for the process's signals, which belong to the tests' own process here."""

    def __init__(self):
        self._ends = socket.socketpair()

    def fileno(self):
        return self._ends[0].fileno()


@pytest.fixture
def shell(tmp_path, monkeypatch):
    """A shell that has been told nothing yet; `screen` and `engine` are the far ends of its lines."""
    monkeypatch.setattr(shell_module, "SignalPipe", NoSignals)
    screen, front = socket.socketpair()
    engine, gateway = socket.socketpair()
    made = shell_module.GatewayShell(GatewayCore(P24), front, gateway, str(tmp_path / "nothing"), tmp_path)
    made.screen, made.engine = Line(screen), Line(engine)
    yield made
    for end in (screen, front, engine, gateway, *made._signals._ends):
        end.close()
    made._stop.close()


def heard(shell):
    """What the shell has read by now is given to its core; gives the inputs."""
    shell._read_front()
    shell._read_engine()
    inputs = shell._inputs[:]
    shell._inputs.clear()
    shell._core.step(1_000_000_000, inputs)
    return inputs


@pytest.mark.hazard("H19")
def test_a_broken_message_of_the_screen_stops_and_is_no_test_of_stop(shell):
    shell.screen.send(KINDS[Press], b'{"number":"1"}')
    (stop,) = heard(shell)
    assert isinstance(stop, ports.StopSignal)
    assert "a broken message from the screen" in stop.source
    assert not shell._core.stop_tested
    shell.screen.send(*encode(StopNow("F12")))
    heard(shell)
    assert shell._core.stop_tested


@pytest.mark.hazard("H19")
def test_a_broken_message_of_the_screen_latches_and_is_no_test_of_stop(stimulating):
    stimulating.core.stop_tested = False
    stimulating.step(ports.StopSignal("a broken message from the screen: x", tests=False))
    assert stimulating.core.state is GatewayState.LATCHED
    assert stimulating.twin.drive() == ()
    assert not stimulating.core.stop_tested


@pytest.mark.parametrize("payload", [b"[" * 50_000, b"{}", b"\xff", b'{"t_ns":null}'])
def test_a_broken_message_of_the_engine_is_its_end(shell, payload):
    shell.engine.send(KINDS[EngineBeat], payload)
    inputs = []
    for _ in range(8):  # each read is bounded
        inputs += heard(shell)
    (gone,) = inputs
    assert isinstance(gone, ports.EngineGone)


def test_an_answer_that_is_too_long_is_left_out_and_written_down(shell):
    shell._perform([ports.ToFront(Latched(1, "x" * 70_000, ""))] * 2 + [ports.ToFront(Latched(2, "y", ""))])
    (message,) = shell.screen.receive()
    assert decode(*message) == Latched(2, "y", "")
    dropped = [data for _, kind, data, _ in shell._log._kept if kind == "message_dropped"]
    assert dropped == [{"message": "Latched"}]


@pytest.mark.parametrize("folder", ["/nowhere/at/all", "with\0nothing", "x" * 4_000], ids=["none", "zero", "long"])
def test_a_folder_that_cannot_be_is_a_log_that_cannot_be_written(shell, folder):
    assert decode(*encode(OpenRecord(folder))) == OpenRecord(folder)
    shell._perform([ports.OpenLog(folder), ports.Log(1, "note", {}, True)])
    shell._log.close(2)
    shell._perform([ports.OpenLog(folder), ports.Log(3, "note", {}, True)])
    if not shell._log.failed:  # the thread finds it out
        shell._log._appender.finish()
        shell._log._appender.join(2.0)
    assert shell._log.failed
