"""Stop times on the virtual clock: every kind of fault at a few random instants; the long run is a command."""

import pytest

from controller.assembly.stop_times import Bench, FaultKind, in_a_copy, kinds, measure, spread

pytestmark = pytest.mark.hazard("H01", "H02", "H03", "H04", "H06", "H18", "H21", "H29", "H33", "H44")


@pytest.mark.timeout(300)
def test_every_kind_of_fault_stops_within_its_bound():
    told = measure("p24", 2, 1)
    assert len(told["kinds"]) == 18
    late = {
        name: entry
        for name, entry in told["kinds"].items()
        if not (entry["skin"]["within"] and entry["joint"]["within"])
    }
    assert late == {}
    assert told["good"]
    software = [entry["skin"] for entry in told["kinds"].values() if entry["skin"]["by"] == "software"]
    assert len(software) == 15
    assert told["kinds"]["unit unplugged"]["skin"]["p50_ms"] > 1_000  # the unit goes on alone, and that is measured


def test_a_fault_that_stops_nothing_is_measured_as_such():
    bench = Bench("p24", 2)
    [kind] = [kind for kind in kinds(2_000, 100) if kind.name == "engine stands still"]
    nothing = FaultKind("nothing", lambda world: world.house.now_ns, kind.bounds)
    for world in bench.instants(1):
        skin_ms, _ = in_a_copy(world, nothing)
        assert skin_ms > 250


def test_the_spread_of_some_times():
    told = spread([0.0, 10.0, 30.0, 260.0], 250, True)
    assert (told["p50_ms"], told["p100_ms"], told["within"]) == (30.0, 260.0, False)
    assert told["histogram"] == {"0": 2, "25": 1, "250": 1}
