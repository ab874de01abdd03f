"""Serve simulated devices on ports of this machine until told to stop: the shell around `World`.

One thread, one `select` over every descriptor, the world's next deadline as its timeout. The first lines on stdout
describe the devices, one JSON object each (`device`, `url`, `identity`); after that nothing is printed. What happened
is in the log: JSON lines, written out after every wake-up, so that another process can read it while this one runs.
"""

import argparse
import contextlib
import gc
import json
import select
import signal
import socket
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, TextIO

from controller.clock import now_ns
from sim.catalogue import TWINS
from sim.commands import CommandLine, obey
from sim.faults import Fault, FaultRefused, parse
from sim.room import DEVICES, WORLD, furnish, unfit
from sim.terminal import LoopbackLink, PtyLink
from sim.world import World

LONGEST_SLEEP_NS = 1_000_000_000
STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class LogFile:
    """Entries of the world and its twins as JSON lines; `flush` writes what has been collected (None: no file)."""

    def __init__(self, path: Path | None) -> None:
        self._file = None if path is None else path.open("a", encoding="utf-8")
        self._lines: list[str] = []

    def __call__(self, entry: dict[str, Any]) -> None:
        if self._file is not None:
            self._lines.append(json.dumps(entry) + "\n")

    def flush(self) -> None:
        """Write out what has been collected since the last time."""
        if self._lines and self._file is not None:
            self._file.write("".join(self._lines))
            self._file.flush()
            self._lines.clear()

    def close(self) -> None:
        """Write out the rest and close."""
        self.flush()
        if self._file is not None:
            self._file.close()


def serve(
    devices: Sequence[str],
    *,
    link: str = "pty",
    log_path: Path | None = None,
    seed: int = 1,
    recording: Any = None,
    rate_hz: float | None = None,
    self_paced: bool = False,
    faults: Sequence[Fault] = (),
    start_on: str = "now",
    stdin: int | None = 0,
    end_with_stdin: bool = False,
    out: TextIO | None = None,
) -> int:
    """Serve `devices` (names of `sim.catalogue.TWINS`) until SIGTERM, SIGINT, SIGHUP or the line `quit`. Returns 0.

    `link` is "pty" or "tcp"; `recording` (with `rate_hz`, `gyro_dps`, `acc_g`) moves the pucks in place of the
    person and starts `start_on` "now", "first-byte" (from any host) or "play" (a line on stdin). `rate_hz` is the
    pucks' frame rate: the recording's, or 100, unless given. `stdin` is the descriptor of the command lines, or None.
    Raises ValueError for devices that cannot stand together, or a fault that none of them has. To be called from the
    main thread.
    """
    log = LogFile(log_path)
    links = [PtyLink(streaming=TWINS[name].streams) if link == "pty" else LoopbackLink() for name in devices]
    start_ns = now_ns()
    world = None
    try:
        world = furnish(
            dict(zip(devices, links, strict=True)),
            start_ns,
            seed=seed,
            recording=recording,
            rate_hz=rate_hz,
            self_paced=self_paced,
            faults=faults,
            log=log,
        )
        with _stop_signals() as stop:
            urls = {name: port.url for name, port in zip(devices, links, strict=True)}
            for device in world.devices:
                line = {"device": device.name, "url": urls[device.name], "identity": device.twin.identity}
                print(json.dumps(line), file=out or sys.stdout, flush=True)
            if start_on == "now":
                world.play(start_ns)
            _run(world, links, log, stop, CommandLine(stdin), start_on == "first-byte", end_with_stdin)
    finally:
        if world is not None:
            world.close(now_ns())
        log.close()
        for port in links:
            port.close()
    return 0


def _run(
    world: World,
    links: Sequence[PtyLink | LoopbackLink],
    log: LogFile,
    stop: socket.socket,
    lines: CommandLine,
    start_on_byte: bool,
    end_with_stdin: bool,
) -> None:
    gc.collect()
    gc.freeze()
    while True:
        arrived = world.advance(now_ns())
        if arrived and start_on_byte:
            world.play(now_ns())
        log.flush()
        wanted = [stop.fileno(), lines.fileno(), *(port.fileno() for port in links)]
        sleep_ns = min(world.next_deadline() - now_ns(), LONGEST_SLEEP_NS)
        ready, _, _ = select.select([fd for fd in wanted if fd >= 0], [], [], max(sleep_ns, 0) * 1e-9)
        if stop.fileno() in ready:
            return
        if lines.fileno() in ready:
            for line in lines.read():
                if not obey(world, line, now_ns()):
                    return
            if end_with_stdin and lines.fileno() < 0:
                return


@contextlib.contextmanager
def _stop_signals() -> Iterator[socket.socket]:
    """A socket that becomes readable on any of `STOP_SIGNALS`; their former handlers come back afterwards.

    A plain handler would be seen only when `select` returns; the wake-up descriptor ends the `select` itself.
    """
    reader, writer = socket.socketpair()
    writer.setblocking(False)
    former_fd = signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
    former = {number: signal.signal(number, lambda *_: None) for number in STOP_SIGNALS}
    try:
        yield reader
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(former_fd)
        reader.close()
        writer.close()


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `stimloop sim`."""
    parser.add_argument(
        "device", metavar="DEVICE", help=f"one of {', '.join(DEVICES)}; or world: several, and one person"
    )
    parser.add_argument(
        "--devices",
        default=",".join(WORLD),
        metavar="NAME,...",
        help="what stands in the world: at most one stimulator and one orthosis, any pucks (%(default)s)",
    )
    parser.add_argument("--link", choices=["pty", "tcp"], default="pty", help="a terminal, or a socket on loopback")
    parser.add_argument("--log", type=Path, metavar="FILE", help="append what the twins did, as JSON lines")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="the person and all noise follow from it")
    parser.add_argument(
        "--rate", type=float, metavar="HZ", help="frames a second of each puck (100, or the recording's)"
    )
    parser.add_argument("--motion", metavar="FILE:TRIAL", help="move the pucks as recorded in place of the person")
    parser.add_argument(
        "--start-on",
        choices=["now", "first-byte", "play"],
        default="now",
        help="when a recording starts: at once, at a host's first byte, or at the line `play` on stdin",
    )
    parser.add_argument(
        "--fault",
        action="append",
        default=[],
        metavar="SPEC",
        help="NAME[:VALUE][@DEVICE][/HOW_OFTEN][+START][~LENGTH], such as drop:0.05, delay:30ms@ximu3, "
        "electrode-off:2@p24+12s~3s; may be given more than once",
    )
    parser.add_argument("--end-with-stdin", action="store_true", help="stop when stdin ends, as after `quit`")
    parser.add_argument("--self-paced", action="store_true", help="the person attempts by themselves every 6 to 12 s")


def run(args: argparse.Namespace) -> int:
    """`stimloop sim`: 0 after a stop, 2 for arguments that cannot be served (told on stderr)."""
    recording = None
    if args.motion is not None:
        from sim.recording import Recording  # numpy only where a recording is read

        path, _, trial = args.motion.rpartition(":")
        try:
            recording = Recording.load(Path(path), trial)
        except (OSError, ValueError, KeyError) as fault:
            print(f"--motion {args.motion}: {fault} (expected FILE:TRIAL)", file=sys.stderr)
            return 2
    if args.rate is not None and not 1.0 <= args.rate <= 1000.0:
        print(f"--rate {args.rate:g}: a puck sends 1 to 1000 frames a second", file=sys.stderr)
        return 2
    devices = args.devices.split(",") if args.device == "world" else [args.device]
    if reason := unfit(devices, recording is not None):
        print(f"{reason}", file=sys.stderr)
        return 2
    try:
        return serve(
            devices,
            link=args.link,
            log_path=args.log,
            seed=args.seed,
            recording=recording,
            rate_hz=args.rate,
            self_paced=args.self_paced,
            faults=[parse(spec) for spec in args.fault],
            start_on=args.start_on,
            end_with_stdin=args.end_with_stdin,
        )
    except (OSError, FaultRefused) as fault:
        print(f"{fault}", file=sys.stderr)
        return 2
