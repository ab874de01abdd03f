"""The simulated computer's clock and disk."""

import pytest

from sim.clocks import HostClock
from sim.disk import MemoryAppender, SimulatedDisk

pytestmark = pytest.mark.hazard("H04", "H05", "H29")
SECOND = 1_000_000_000


def test_a_plain_clock_shows_the_true_time():
    clock = HostClock(5)
    assert clock.plain
    assert (clock.read(77), clock.when(77)) == (77, 77)


@pytest.mark.parametrize("ppm", [-20_000, -3, 3, 20_000])
def test_a_clock_that_drifts_meets_its_deadlines(ppm):
    clock = HostClock(SECOND)
    clock.drift(SECOND, ppm)
    assert not clock.plain
    assert clock.read(2 * SECOND) == 2 * SECOND + ppm * 1_000
    for host_ns in range(SECOND, SECOND + 200_000_000, 7_777_777):
        world_ns = clock.when(host_ns)
        assert clock.read(world_ns) >= host_ns > clock.read(world_ns - 2)
    clock.drift(2 * SECOND, 0)
    assert clock.read(3 * SECOND) == 3 * SECOND + ppm * 1_000  # the offset stays


def test_a_clock_that_jumps():
    clock = HostClock(0)
    clock.step(SECOND, 5 * SECOND)
    assert clock.read(SECOND) == 6 * SECOND
    assert clock.when(7 * SECOND) == 2 * SECOND
    clock.step(2 * SECOND, -5 * SECOND)
    assert clock.plain
    with pytest.raises(ValueError, match="at most"):
        clock.drift(2 * SECOND, 60_000)


def test_the_nth_write_fails_and_nothing_comes_after_it():
    disk = SimulatedDisk()
    appender = MemoryAppender(disk)
    disk.fail_at = 2
    appender.append(0, "a", b"1", sync=True, mark=4)
    appender.append(0, "a", b"2", sync=True, mark=5)
    appender.append(0, "a", b"3")
    assert ("Errno 5" in appender.failed, appender.lost, appender.synced) == (True, 1, 4)
    assert (disk.writes, disk.failed_writes) == (2, 1)


@pytest.mark.parametrize(("state", "word"), [("full", "No space"), ("read_only", "Read-only")])
def test_a_disk_that_takes_nothing(state, word):
    disk = SimulatedDisk()
    setattr(disk, state, True)
    assert word in disk.refuses
    appender = MemoryAppender(disk)
    appender.append(0, "a", b"1")
    assert word in appender.failed
    disk.mend()
    assert disk.refuses == ""
    appender.append(0, "a", b"2")
    assert appender.lost == 1  # a record that has failed stays failed


def test_a_disk_that_falls_behind_and_equal_writes():
    first, second = SimulatedDisk(), SimulatedDisk()
    for disk in (first, second):
        appender = MemoryAppender(disk)
        appender.append(0, "a", b"same")
        appender.finish()
        appender.append(0, "a", b"late")
        assert appender.lost == 1
        assert appender.join(0.0)
    assert first.digest.digest() == second.digest.digest()
    first.behind_since_ns = SECOND
    assert MemoryAppender(first).backlog_ms(3 * SECOND) == 2_000
