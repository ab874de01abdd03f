"""The gateway's state as the fact that the screen and the engine read."""

from typing import TYPE_CHECKING

from controller.clock import MS
from controller.gateway.states import PERMITS_DELIVERY
from controller.vocabulary.facts import Ceiling, ChannelOutput, GatewayStatus
from safety.interlocks import is_simulated

if TYPE_CHECKING:
    from controller.gateway.core import GatewayCore


def status_of(core: "GatewayCore", now_ns: int) -> GatewayStatus:
    """Everything a reader may know of the gateway at `now_ns`."""
    driver = core.unit.driver
    outputs = () if driver is None else tuple(ChannelOutput(*output) for output in driver.outputs())
    joint = core.joint.report()
    placed = core.delivery.guard.placed
    found = core.permits.found(core, now_ns)
    rest_until_ns = core.delivery.guard.rest_until_ns
    return GatewayStatus(
        t_ns=now_ns,
        state=core.state,
        scope=core.scope,
        unit=core.unit.identity,
        simulated=is_simulated(core.unit.identity) and core.joint.simulated,
        stop_tested=core.stop_tested,
        blocked=core.blocked(now_ns),
        cause=core.cause,
        todo=core.todo,
        outputs=outputs,
        confirmed_age_ms=-1 if driver is None else (now_ns - driver.confirmed_at_ns) // MS,
        rest_until_ns=rest_until_ns if rest_until_ns > now_ns else 0,
        refused=core.delivery.refused,
        wire_faults=0 if driver is None else driver.wire_faults,
        capabilities=core.kind.capabilities,
        warning=core.unit.warning,
        joint=() if joint is None else (joint,),
        identified=core.delivery.guard.identified,
        position="" if placed is None else placed.position.value,
        position_of="" if placed is None else placed.patient,
        pedals=core.pedals.reports(*core.identities),
        stage=found.stage,
        permission=found.why,
        operator=core.permits.holder.operator,
        alone=core.state in PERMITS_DELIVERY and core.presence.asks(now_ns),
        dropped=core.delivery.dropped,
        ceilings=tuple(Ceiling(*each) for each in core.dose.ceilings()),
    )
