"""The N-th call that fails, in a whole session of three repetitions on the virtual clock, for one N after another.

The reference session is lived once, on a simulated computer with the production cores and real files. At each chosen
call the process is copied (fork); in the copy that call fails, nobody touches a key any more, and after a while the
copy is judged: by the checkers at the skin, by whether it stands in a clear state, and by its record, which is opened
as it was left and again as a cut of the power would have left it. The parent goes on as if nothing had been.
"""

import errno
import json
import os
import random
import shutil
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from controller import disk
from controller.assembly.protocols import shipped
from controller.assembly.swarm_acts import JUMP_NS
from controller.assembly.swarm_house import SimulatedHouse
from controller.assembly.swarm_parts import Port, Process
from controller.assembly.swarm_plan import Act, Plan
from controller.assembly.swarm_world import START_NS, SwarmWorld
from controller.assembly.therapist import Script
from controller.clock import MS, SECOND
from controller.engine.core import Setting
from controller.gateway import blackbox
from controller.gateway import ports as gateway_ports
from controller.record import manifest as manifests
from controller.record.journal import Journal
from controller.record.verify import verify
from controller.session.loader import load
from controller.session.resolve import ResolvedProtocol
from controller.vocabulary.chain import read
from controller.vocabulary.facts import GatewayState
from controller.vocabulary.snapshot import SessionState
from sim.checker_course import Body, trains_of
from sim.checkers import judge
from sim.clocks import HostClock
from tests.sweeps.injected import FailingOs, Injector, SteppedAppender

REPETITIONS = 3
OTHERS = 200
LONGEST_NS = 200 * SECOND
SLICE_NS = 100 * MS
SEEN_NS = 1_600 * MS
"""So long after the failure the copy is looked at: a clock's jump, a heartbeat and a lease have all been noticed."""
AFTERWARDS_NS = 1_500 * MS
STEP_UA = 1_000
SCRIPT = Script(1_000, 2_000, 8_000, calibrate_attempts=False)
STARTED = datetime(2000, 1, 1, tzinfo=UTC)
PROTOCOL = "wrist_extension_self_paced"


@dataclass(frozen=True, slots=True)
class Failure:
    """What a call of the kind `seam` does instead: `do` in the world of the copy; `error` for the disk's calls."""

    name: str
    seam: str
    do: Callable[["SweepWorld"], None] | None = None
    error: int = 0
    for_good: bool = False
    lasts_ns: int = 0


@dataclass
class Told:
    """What came of one copy."""

    failure: str
    number: int
    at_s: float = 0.0
    session: str = ""
    gateway: str = ""
    cause: str = ""
    todo: str = ""
    borne: bool = False
    synced: int = -1
    faults: list[str] = field(default_factory=list)


class SweepClock(HostClock):
    """The computer's clock with a count of its readings."""

    def __init__(self, start_ns: int, world: "SweepWorld") -> None:
        super().__init__(start_ns)
        self._sweep = world
        self._stuck: tuple[int, int] | None = None
        self._now_ns = start_ns

    def read(self, world_ns: int) -> int:
        """One reading."""
        self._sweep.called("clock read")
        self._now_ns = world_ns
        if self._stuck is not None:
            shows_ns, until_ns = self._stuck
            if world_ns < until_ns:
                return shows_ns
            self._stuck = None
        return super().read(world_ns)

    def when(self, host_ns: int) -> int:
        """As always; while it stands still, a wait is as long as a shell reckons it from what the clock shows."""
        if self._stuck is not None and self._now_ns < self._stuck[1]:
            return self._now_ns + max(0, host_ns - self._stuck[0])
        return super().when(host_ns)

    def stick(self, world_ns: int, until_ns: int) -> None:
        """It shows the same instant until then, and the true time again afterwards."""
        self._stuck = (super().read(world_ns), until_ns)
        self.plain = False


class SweepHouse(SimulatedHouse):
    """The simulated computer with counted cables, and with the gateway's own log on real files."""

    sweep: "SweepWorld"
    log_failed = ""
    tells_of_log = True

    def _step_gateway(self, now_ns: int) -> bool:
        """What its shell does as well: it looks at its log before each step."""
        failed, process = self.sweep.black_box.failed, self.gateway_process
        if self.tells_of_log and failed != self.log_failed and process.awake(now_ns):
            self.log_failed = failed
            process.news.append(gateway_ports.LogFailed(failed))
        return super()._step_gateway(now_ns)

    def _write(self, process: Process, port: Port, data: bytes, gone: Any) -> None:
        if port.here is not None and self.sweep.called(f"{self._named(port)} write"):
            port.here = None
            process.news.append(gone("the cable is out"))
            return
        super()._write(process, port, data, gone)

    def _hear(self, inputs: list[Any], port: Port, bytes_of: Any, gone: Any) -> None:  # type: ignore[override]
        data = port.read()
        if data is None or (data and self.sweep.called(f"{self._named(port)} read")):
            port.here = None
            inputs.append(gone("the cable is out"))
        elif data:
            inputs.append(bytes_of(data))

    def _named(self, port: Port) -> str:
        return "unit" if port is self.unit else "puck"

    def _perform_gateway(self, now_ns: int, process: Process, output: gateway_ports.Output) -> None:
        box = self.sweep.black_box
        if isinstance(output, gateway_ports.Log):
            box.record(output.t_ns, output.kind, output.data, output.sync)
        elif isinstance(output, gateway_ports.OpenLog):
            box.open(self.sweep.here(Path(output.folder)))
        super()._perform_gateway(now_ns, process, output)


class SweepWorld(SwarmWorld):
    """The reference session. `fork_at` says of each call whether a copy of it is to be made there."""

    def __init__(self, folder: Path, fork_at: Callable[[str, int], bool]) -> None:
        self.folder = self.origin = folder
        self.injector = Injector(partial(self._asked, fork_at))
        self.system = FailingOs(self.injector)
        self.black_box = blackbox.BlackBox(threaded=False)
        self.failed: Failure | None = None
        self.told: Told | None = None
        self.copies: list[tuple[int, int]] = []
        """(process, reading end of its pipe) of each copy that is still under way."""
        self.jobs = 2
        self.failures: Sequence[Failure] = ()
        self.results: list[Told] = []
        self.journal: Journal | None = None
        self.appender: SteppedAppender | None = None
        super().__init__(Plan(1, 30, "p24", "ximu3", "", PROTOCOL, "moderate", SCRIPT))

    # -- how it is made ------------------------------------------------------------------------------------------------

    def _make_house(self) -> SimulatedHouse:
        made = super()._make_house()
        SweepHouse.sweep = self
        return SweepHouse(made.hardware, SweepClock(START_NS, self), START_NS, self._look)

    def _setting(self) -> Setting:
        return replace(super()._setting(), repetitions=REPETITIONS)

    def _open_record(self, patient: str, now_ns: int, resolved: ResolvedProtocol) -> Journal:
        folder = manifests.create_folder(self.folder, patient, STARTED)
        loaded = load(shipped(PROTOCOL))
        begun = manifests.begin(STARTED, now_ns, patient=patient)
        manifests.write(folder, begun, False)
        (folder / manifests.PROTOCOL).write_bytes(loaded.source)
        head = {"patient": patient, "protocol_sha256": loaded.sha256}
        self.appender = SteppedAppender(folder)
        self.journal = Journal(folder, head, start_ns=now_ns, manifest=begun, appender=self.appender)
        self.journal.folder = self.here(folder)  # its first line may have been copied
        return self.journal

    def _look(self, now_ns: int) -> None:
        self.called("screen look")
        super()._look(now_ns)

    # -- the calls -----------------------------------------------------------------------------------------------------

    def called(self, kind: str) -> bool:
        """One more call of that kind; True in the copy in which it fails."""
        return self.injector.fails(kind)

    def _asked(self, fork_at: Callable[[str, int], bool], kind: str, number: int) -> bool:
        if self.told is not None or not fork_at(kind, number):
            return False
        return any(self._copied(failure, number) for failure in self.failures if failure.seam == kind)

    def _copied(self, failure: Failure, number: int) -> bool:
        """A copy of this process, in which the call fails. True in the copy."""
        while len(self.copies) >= self.jobs:
            self.collect()
        reader, writer = os.pipe()
        moved = Path(tempfile.mkdtemp(prefix="sweep-")) / "data"
        if self.folder.exists():
            shutil.copytree(self.folder, moved)
        sys.stdout.flush()
        child = os.fork()
        if child:
            os.close(writer)
            self.copies.append((child, reader))
            return False
        os.close(reader)
        self.writer = writer
        self.failed, self.told = failure, Told(failure.name, number, (self.house.now_ns - START_NS) / SECOND)
        self.seen_ns = self.house.now_ns + failure.lasts_ns + SEEN_NS
        self.person.look = _nobody  # type: ignore[method-assign]
        self._move_files(moved)
        self.system.error, self.system.for_good = failure.error, failure.for_good
        if failure.do is not None:
            failure.do(self)
        return True

    def collect(self) -> None:
        """Wait for the oldest copy, and keep what it tells."""
        child, reader = self.copies.pop(0)
        with os.fdopen(reader, "rb") as pipe:
            told = pipe.read()
        os.waitpid(child, 0)
        self.results.append(Told(**json.loads(told)) if told else Told("?", 0, faults=["the copy died"]))

    def _move_files(self, new: Path) -> None:
        """The copy's record is a copy, made before the parent goes on."""
        self.system.move_to(self.folder, new)
        self.folder = new
        if self.journal is not None:
            self.journal.folder = self.here(self.journal.folder)
        for appender in (self.appender, self.black_box._appender):
            if isinstance(appender, SteppedAppender):
                appender._files._folder = self.here(appender._files._folder)
        if self.black_box.folder is not None:
            self.black_box._folder = self.here(self.black_box.folder)

    def here(self, path: Path) -> Path:
        """Where a file of the reference session is for this process."""
        return self.folder / path.relative_to(self.origin) if path.is_relative_to(self.origin) else path

    # -- the life of it ------------------------------------------------------------------------------------------------

    def live_through(self) -> None:
        """From the start to review, or in a copy to its end."""
        house = self.house
        try:
            while house.engine.state is not SessionState.REVIEW and house.now_ns < START_NS + LONGEST_NS:
                house.run(house.now_ns + SLICE_NS)
                if self.told is not None and house.now_ns >= self.seen_ns:
                    break
        except Exception:
            if self.told is None:
                raise
            self.told.faults.append(traceback.format_exc())
        if self.told is not None:
            self._end_copy(self.told)

    def _end_copy(self, told: Told) -> None:
        try:
            self._see(told)
            self._cut_power(told)
            self._close()
            self._judge_copy(told)
        except Exception:
            told.faults.append(traceback.format_exc())
        finally:
            shutil.rmtree(self.folder.parent, ignore_errors=True)
            os.write(self.writer, json.dumps(asdict(told)).encode())
            os._exit(0)

    def _see(self, told: Told) -> None:
        """Where it stands, as the screen would say it."""
        engine, gateway = self.house.engine, self.house.gateway
        told.session, told.gateway = str(engine.state), str(gateway.state)
        told.cause, told.todo = gateway.cause or engine.trip, engine.todo
        tripped, latched = engine.state is SessionState.TRIPPED, gateway.state is GatewayState.LATCHED
        told.borne = not (tripped or latched)
        if tripped and not (engine.trip and engine.todo):
            told.faults.append("tripped without a cause or without what to do")
        if latched and not gateway.cause:
            told.faults.append("latched without a cause")
        told.faults += [f"crash: {what}" for _, what in self.house.crashes]
        unit = self.house.world.stimulator
        written = not (self.black_box.failed or (self.journal is not None and self.journal.failed))
        if not written and unit is not None and unit.twin.drive():
            told.faults.append("current flows without a record")

    def _close(self) -> None:
        """The screen hangs up, and both others end."""
        house = self.house
        house.hang_up("closed")
        house.run(house.now_ns + AFTERWARDS_NS)
        house.kill_engine("did not leave")
        house.kill_gateway("did not leave")
        self.black_box.close(house.now_ns)
        house.world.close(house.now_ns)

    def _judge_copy(self, told: Told) -> None:
        hands = self.person.hands
        body = Body(hands.regions, hands.pads_mm2, {c: ua + STEP_UA for c, ua in hands.ceilings_ua.items()})
        told.faults += [f"{v.rule}: {v.text}" for v in judge(trains_of(self.log), body, self.course)]
        if self.journal is not None:
            found = record_faults(self.journal.folder, self.journal.vouched, None)
            told.faults += [f"as left: {fault}" for fault in found]

    def _cut_power(self, told: Told) -> None:
        """The power is cut now: what was said to be on disk is there."""
        if self.journal is None:
            return
        vouched, folder = self.journal.vouched, self.folder.parent / "cut"
        told.synced = -1 if vouched is None else vouched[0]
        self.system.cut_power(self.folder, folder)
        session = folder / self.journal.folder.relative_to(self.folder)
        found = record_faults(session, vouched, self.black_box.vouched)
        told.faults += [f"after a cut of the power: {fault}" for fault in found]


def record_faults(folder: Path, events: tuple[int, str] | None, gateway: tuple[int, str] | None) -> list[str]:
    """What is wrong with a record: faults that `verify` finds, and synced records that are not there."""
    faults = list(verify(folder).faults)
    for name, vouched in ((manifests.EVENTS, events), (manifests.GATEWAY, gateway)):
        if vouched is None:
            continue
        path = folder / name
        reading = read(path.read_bytes() if path.exists() else b"")
        number, digest = vouched
        if len(reading.records) <= number or reading.hashes[number] != digest:
            faults.append(f"{name}: record {number} was synced, and {len(reading.records)} are there")
    return faults


def _nobody(now_ns: int) -> None:
    """Nobody touches a key."""


# -- what fails --------------------------------------------------------------------------------------------------------


def _step(world: SweepWorld, ms: int) -> None:
    world.acts.step(world.house.now_ns, Act("clock-step", value=f"{ms}ms"))


def _stick(world: SweepWorld, ms: int) -> None:
    now_ns, until_ns = world.house.now_ns, world.house.now_ns + ms * MS
    world.house.clock.stick(now_ns, until_ns)  # type: ignore[attr-defined]
    world.course.untrusted.append((now_ns, until_ns))
    world.course.blind_ns.append(until_ns)
    if ms * MS >= JUMP_NS:
        world.acts._stop(until_ns, "the clock stood still and jumped")


def _unit_lost(world: SweepWorld) -> None:
    now_ns = world.house.now_ns
    world.course.untrusted.append((now_ns, now_ns + 4 * SECOND))
    world.acts._stop(now_ns, "a call of the unit's port failed")


def _puck_lost(world: SweepWorld) -> None:
    world.acts._if_flowing(world.house.now_ns, "a call of the puck's port failed", session=True)


def _disk_lost(world: SweepWorld) -> None:
    world.acts._if_flowing(world.house.now_ns + 20 * MS, "the disk failed")


def _act(world: SweepWorld, act: Act) -> None:
    world.acts.do(world.house.now_ns, act)


FAILURES: Sequence[Failure] = (
    Failure("unit write", "unit write", _unit_lost),
    Failure("unit read", "unit read", _unit_lost),
    Failure("puck read", "puck read", _puck_lost),
    Failure("log write EIO", "log write", _disk_lost, errno.EIO),
    Failure("disk full", "log write", _disk_lost, errno.ENOSPC, True),
    Failure("disk read-only", "log write", _disk_lost, errno.EROFS, True),
    Failure("fsync EIO", "fsync", _disk_lost, errno.EIO),
    Failure("clock +400 ms", "clock read", partial(_step, ms=400)),
    Failure("clock +700 ms", "clock read", partial(_step, ms=700)),
    Failure("clock -1 s", "clock read", partial(_step, ms=-1_000)),
    Failure("clock stuck 700 ms", "clock read", partial(_stick, ms=700)),
    Failure("suspend 700 ms", "screen look", partial(_act, act=Act("suspend", length_ms=700)), lasts_ns=700 * MS),
    Failure("suspend 30 s", "screen look", partial(_act, act=Act("suspend", length_ms=30_000)), lasts_ns=30 * SECOND),
    Failure("screen frozen 400 ms", "screen look", partial(_act, act=Act("freeze", "screen", 0, 400))),
    Failure(
        "screen frozen 5 s", "screen look", partial(_act, act=Act("freeze", "screen", 0, 5_000)), lasts_ns=5 * SECOND
    ),
    Failure("engine frozen 300 ms", "screen look", partial(_act, act=Act("freeze", "engine", 0, 300))),
    Failure("gateway frozen 700 ms", "screen look", partial(_act, act=Act("freeze", "gateway", 0, 700))),
)


# -- the sweep ---------------------------------------------------------------------------------------------------------


def lived(fork_at: Callable[[str, int], bool], jobs: int = 2, failures: Sequence[Failure] = ()) -> SweepWorld:
    """The reference session, with a copy at each call that `fork_at` names; all of them have told when this ends."""
    folder = Path(tempfile.mkdtemp(prefix="sweep-"))
    real_os, real_appender = disk.os, blackbox.InlineAppender
    try:
        world = SweepWorld(folder / "data", fork_at)
        world.jobs, world.failures = jobs, failures
        disk.os, blackbox.InlineAppender = world.system, SteppedAppender  # type: ignore[assignment, misc]
        world.live_through()
        while world.copies:
            world.collect()
        return world
    finally:
        disk.os, blackbox.InlineAppender = real_os, real_appender  # type: ignore[misc]
        shutil.rmtree(folder, ignore_errors=True)


def chosen(reference: SweepWorld, sample: int, seams: Sequence[str], seed: int = 1) -> dict[str, set[int]]:
    """seam -> numbers of the calls that will fail: every sync and every write that is synced, and `sample` others.

    With a `sample` below `OTHERS` the synced ones are thinned out likewise, for a quick look.
    """
    rng, numbers = random.Random(seed), {}
    counts = reference.injector.counts
    for seam in seams:
        synced = {"fsync": range(1, counts[seam] + 1), "log write": reference.system.sync_writes}
        every = set(synced.get(seam, ()))
        if sample < OTHERS:
            every = set(rng.sample(sorted(every), min(sample, len(every))))
        others = sorted(set(range(1, counts[seam] + 1)) - every)
        numbers[seam] = every | set(rng.sample(others, min(sample, len(others))))
    return numbers


def swept(sample: int = OTHERS, kinds: Sequence[str] = (), jobs: int = 2) -> Iterator[Told]:
    """Every failure at every chosen call (`kinds`: seams or failures by name; none: all)."""
    wanted = [one for one in FAILURES if not kinds or one.seam in kinds or one.name in kinds]
    reference = lived(lambda _kind, _number: False)
    if reference.house.engine.state is not SessionState.REVIEW:
        raise RuntimeError(f"the reference session did not end: {reference.house.engine.state}")
    numbers = chosen(reference, sample, sorted({one.seam for one in wanted}))
    yield from lived(lambda kind, number: number in numbers.get(kind, ()), jobs, wanted).results
