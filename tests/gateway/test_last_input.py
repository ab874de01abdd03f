"""After the last word of the engine: at the skin, judged by the unit's twin alone and never by a variable of ours."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from controller.drivers.stimulators.sciencemode_orders import STOP_FRAMES
from controller.vocabulary.facts import GatewayState

pytestmark = pytest.mark.hazard("H01", "H19", "H20", "H21")
MS = 1_000_000
LEASE_NS, TICK_NS, WATCHDOG_NS = 120 * MS, 10 * MS, 2_000 * MS
QUICK = settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

LIVES = st.lists(
    st.tuples(st.sampled_from(["rise", "fall", "renew", "wait", "burst"]), st.integers(1, 110)), max_size=25
)


def live(bench, script):
    """A session as the engine may make it, up to its last word; gives the time of that word."""
    level_ua = 2_000
    bench.run(25)
    bench.send(bench.order(level_ua))
    last_ns = bench.now_ns
    for what, ms in script:
        bench.run(ms if what == "wait" else max(ms, 20))
        if bench.core.state is not GatewayState.DELIVERING:
            break
        if what == "wait":
            continue
        if what in ("rise", "fall"):
            level_ua = min(18_000, level_ua + 1_000) if what == "rise" else max(500, level_ua - 1_500)
            bench.send(bench.order(level_ua))
        elif what == "renew":
            bench.send(bench.renewal())
        else:
            bench.send(bench.order())
            last_ns = bench.now_ns
            bench.run(2_100)
            level_ua = 2_000
            bench.send(bench.order(level_ua))
        last_ns = bench.now_ns
    return last_ns


def flows_after(bench, ms):
    """The last instant, in ns, at which the twin put out current while so much time passed by ms."""
    last_ns = 0
    for _ in range(ms):
        bench.run(1)
        if bench.twin.drive():
            last_ns = bench.now_ns
    return last_ns


@QUICK
@given(script=LIVES, beats=st.booleans())
def test_current_outlives_the_last_order_by_one_lease_at_most(kit, script, beats):
    bench = kit.Bench().connect().prescribe().arm()
    last_ns = live(bench, script)
    bench.renews = False
    bench.engine_talks = beats  # an engine that only says that it is there gives no permission
    assert flows_after(bench, 300) <= last_ns + LEASE_NS + TICK_NS
    assert bench.core.state is GatewayState.LATCHED
    assert flows_after(bench, 100) == 0


@QUICK
@given(script=LIVES)
def test_where_no_stop_arrives_the_unit_ends_it_by_itself(kit, script):
    """The keep-alive is earned: without a lease nothing feeds the unit's watchdog, so that it gets its chance."""
    bench = kit.Bench().connect().prescribe().arm()
    last_ns = live(bench, script)
    bench.heard = lambda data: b"" if data == STOP_FRAMES.data else data
    bench.renews = bench.engine_talks = False
    assert flows_after(bench, 2_400) <= last_ns + LEASE_NS + WATCHDOG_NS + TICK_NS


@QUICK
@given(script=LIVES, gap_ms=st.integers(121, 3_000))
def test_what_comes_after_the_end_of_a_lease_brings_nothing_back(kit, script, gap_ms):
    bench = kit.Bench().connect().prescribe().arm()
    live(bench, script)
    bench.renews = False
    bench.run(gap_ms)
    for _ in range(20):
        bench.send(bench.renewal(), bench.order(1_000))
        bench.run(20)
        assert bench.twin.drive() == ()
