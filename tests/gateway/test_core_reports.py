"""What the core reports: how everything stands, and when it is said again."""

from types import SimpleNamespace

import pytest

from controller.drivers.stimulators.p24 import P24
from controller.gateway import ports
from controller.vocabulary.facts import GatewayState
from controller.vocabulary.requests import Press, StopNow
from safety.orders import ArmScope
from tests.gateway.parts import calls_of, quiet_core

pytestmark = pytest.mark.hazard("H01", "H04", "H18", "H35")

MS, SECOND, AT = 1_000_000, 1_000_000_000, 60_000_000_000


@pytest.fixture
def core():
    """A gateway to which nothing has happened, with its parts quiet."""
    return quiet_core(AT - 1)


# -- the report --------------------------------------------------------------------------------------------------------


def test_the_report_notes_the_permission_and_is_due_again_in_a_tenth_of_a_second(monkeypatch, core):
    noted = calls_of(monkeypatch, core.permits, "note")
    core.report(AT)
    assert noted == [("note", core, AT)]
    assert core.next_deadline() == AT + 100 * MS
    assert [type(entry) for entry in core.voice.out] == [ports.ToFront, ports.ToEngine]


def test_the_status_says_how_everything_stands(core):
    core.unit.identity, core.unit.warning, core.unit.missing = "SIM0P24001", "warned", ""
    core.scope, core.cause, core.todo, core.stop_tested = ArmScope.FITTING, "cause", "todo", True
    core.delivery.refused, core.delivery.dropped = 3, 4
    core.report(AT)
    status = core.voice.out[-1].message
    assert (status.t_ns, status.state, status.scope) == (AT, GatewayState.CLOSED, ArmScope.FITTING)
    assert (status.unit, status.simulated, status.stop_tested) == ("SIM0P24001", True, True)
    assert (status.cause, status.todo, status.warning) == ("cause", "todo", "warned")
    assert (status.outputs, status.confirmed_age_ms, status.wire_faults) == ((), -1, 0)
    assert (status.refused, status.dropped, status.joint, status.identified) == (3, 4, (), ())
    assert (status.position, status.position_of, status.alone) == ("", "", False)
    assert status.blocked == core.blocked(AT)
    assert status.capabilities is P24.capabilities
    core.unit.identity = "P24-1"
    core.report(AT)
    assert core.voice.out[-1].message.simulated is False


def test_the_status_gives_the_age_of_what_the_unit_said_last_and_its_outputs(core):
    core.unit.driver = SimpleNamespace(
        outputs=lambda: ((1, 6_000, 5_900, "off"),), confirmed_at_ns=AT - 7 * MS, wire_faults=2
    )
    core.report(AT)
    status = core.voice.out[-1].message
    assert (status.confirmed_age_ms, status.wire_faults) == (7, 2)
    (output,) = status.outputs
    assert (output.channel, output.commanded_ua, output.confirmed_ua, output.fault) == (1, 6_000, 5_900, "off")


@pytest.mark.parametrize(("until_ns", "said_ns"), [(AT - 1, 0), (AT, 0), (AT + 1, AT + 1)])
def test_a_rest_that_has_ended_is_said_as_none(core, until_ns, said_ns):
    core.delivery.guard._memory.rest_until_ns = until_ns
    core.report(AT)
    assert core.voice.out[-1].message.rest_until_ns == said_ns


@pytest.mark.parametrize(
    ("state", "alone_ns", "asks"),
    [
        (GatewayState.ARMED, 600 * SECOND, False),
        (GatewayState.ARMED, 600 * SECOND + 1, True),
        (GatewayState.LATCHED, 600 * SECOND + 1, False),
    ],
)
def test_the_screen_asks_whether_somebody_is_there_only_while_armed(core, state, alone_ns, asks):
    core.state = state
    core.presence.armed(AT)
    core.report(AT + alone_ns)
    assert core.voice.out[-1].message.alone is asks


def test_with_a_real_orthosis_nothing_is_simulated_and_the_patients_place_is_told(core):
    core.unit.identity = "SIM0P24001"
    core.joint = SimpleNamespace(
        unit=SimpleNamespace(identity="XM430", missing=""),
        identified=True,
        simulated=False,
        report=lambda: "the joint",
        ok=lambda now_ns: True,
    )
    core.delivery.guard._placed = SimpleNamespace(position=SimpleNamespace(value="lying"), patient="P7")
    core.report(AT)
    status = core.voice.out[-1].message
    assert (status.simulated, status.joint) == (False, ("the joint",))
    assert (status.position, status.position_of) == ("lying", "P7")


def test_a_whole_step_is_its_two_halves(bench):
    outputs = bench.step(ports.FromFront(Press(1)), ports.FromFront(StopNow("F12")))
    assert [entry.kind for entry in outputs if isinstance(entry, ports.Log)] == ["stop_pressed"]
