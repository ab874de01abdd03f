"""Black box: the product as its pages describe it, from outside, over real ports and processes.

Written from the documentation alone (the ways to stop and their bounds in docs/safety.md, the record in
docs/record.md, the lines of a simulated world in docs/faults.md and docs/testing.md, the processes of
docs/architecture.md). Nothing of the product is imported. It is started and stopped by its command line, by signals to
processes found by theirs, by lines to the world's standard input, and by keys in a terminal. What it does to a person
is read in the twin's log.
"""

import contextlib
import fcntl
import json
import os
import pty
import random
import select
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import termios
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

MS = 1_000_000
SECOND = 1_000 * MS
GAP_NS = 60 * MS
"""The trains of the shipped protocol have a pulse at least every 40 ms."""
FRESH_NS, YOUNG_NS = 300 * MS, 1_500 * MS
"""A train is written down when it changes, so a running one is known by the last; one of fitting is under 3 s."""
UP_WITHIN_S = 30.0
SESSION_WITHIN_S = 150.0
WATCH_S = 2.4
ENDS_WITHIN_S = 8.0
MAKER = Path(sys.executable).with_name("stimloop")
ROLES = {"gateway": "controller.gateway", "engine": "controller.engine", "world": "sim world"}
F12 = b"\x1b[24~"


def now_ns() -> int:
    """The clock of the twin's log."""
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME)


def processes() -> dict[int, str]:
    """number -> command line, of everything that runs on this machine and is not dead."""
    found = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal():
            with contextlib.suppress(OSError):
                words = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
                if words and ") Z " not in (folder / "stat").read_text():
                    found[int(folder.name)] = words.strip()
    return found


def lines(path: Path) -> list[dict[str, Any]]:
    """The whole lines of a file of JSON objects; a torn last one is left out."""
    try:
        content = path.read_bytes()
    except OSError:
        return []
    return [json.loads(line) for line in content.split(b"\n")[:-1] if line.startswith(b"{")]


@dataclass
class Box:
    """One demonstration in real time, in folders of its own. `screen`: drawn in a terminal, the keys pressed for us."""

    folder: Path
    screen: bool = False
    seed: int = 1
    seen: dict[str, int] = field(default_factory=dict)
    _terminal: int = -1
    _world: int = -1
    _fed: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.data = self.folder / "data"
        self.environment = {**os.environ, "XDG_RUNTIME_DIR": str(self.folder), "TERM": "xterm-256color"}
        words = [str(MAKER), "demo", "--seed", str(self.seed), "--repetitions", "3", "--data", str(self.data)]
        words += ["--hands-free"] if self.screen else ["--headless", "--json", "--speed", "realtime"]
        self.front = self._on_terminal(words) if self.screen else self._without(words)

    def _without(self, words: list[str]) -> "subprocess.Popen[bytes]":
        silent = subprocess.DEVNULL
        return subprocess.Popen(
            words, stdin=silent, stdout=silent, stderr=silent, env=self.environment, start_new_session=True
        )

    def _on_terminal(self, words: list[str]) -> "subprocess.Popen[bytes]":
        self._terminal, end = pty.openpty()
        fcntl.ioctl(end, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
        taking = "import fcntl,os,sys,termios;fcntl.ioctl(0,termios.TIOCSCTTY,0);os.execv(sys.argv[1],sys.argv[1:])"
        front = subprocess.Popen(
            [sys.executable, "-c", taking, sys.executable, *words],
            stdin=end,
            stdout=end,
            stderr=end,
            env=self.environment,
            start_new_session=True,
        )
        os.close(end)
        threading.Thread(target=self._look, daemon=True).start()
        return front

    def _look(self) -> None:
        """A person looks at the terminal: what is drawn is taken away."""
        while not self._fed.is_set():
            with contextlib.suppress(OSError, ValueError):
                if select.select([self._terminal], [], [], 0.05)[0]:
                    os.read(self._terminal, 65536)
                continue
            return

    # -- what can be seen ----------------------------------------------------------------------------------------------

    def number(self, role: str) -> int:
        """The process of that role, found by its command line, once. Raises RuntimeError when there is none."""
        if role == "front":
            return self.front.pid
        if role in self.seen:
            return self.seen[role]
        here, wanted = str(self.data), ROLES[role]
        found = [n for n, words in processes().items() if wanted in words and here in words]
        if not found:
            raise RuntimeError(f"there is no {role}")
        self.seen[role] = found[0]
        return found[0]

    def trains(self) -> list[dict[str, Any]]:
        """What the skin has had so far."""
        return [entry for entry in lines(self.data / "twins.jsonl") if entry["kind"] == "train"]

    def sessions(self) -> list[Path]:
        """The folders of the record."""
        return sorted(path.parent for path in self.data.glob("sub-*/ses-*/session.json"))

    def gateway_lines(self) -> list[dict[str, Any]]:
        """What the gateway's record says."""
        return [entry for session in self.sessions() for entry in lines(session / "gateway.jsonl")]

    def armed_ns(self) -> list[int]:
        """When a person had armed (`armed`, or `rearmed` after a latch)."""
        return [entry["t_ns"] for entry in self.gateway_lines() if entry["kind"] in ("armed", "rearmed")]

    def await_current(self, scope: str, within_s: float) -> bool:
        """Wait until a burst in that scope (`fitting` or `session`) is under way and still young."""
        ends_ns = now_ns() + round(within_s * SECOND)
        while now_ns() < ends_ns and self.front.poll() is None:
            scopes = [entry["data"]["scope"] for entry in self.gateway_lines() if entry["kind"] == "armed"]
            if scopes[-1:] == [scope]:
                for role in ROLES:
                    self.number(role)
                now, began_ns, ended_ns = now_ns(), 0, -SECOND
                for train in self.trains():
                    began_ns = train["t_start_ns"] if train["t_start_ns"] > ended_ns + FRESH_NS else began_ns
                    ended_ns = train["t_end_ns"]
                if now - ended_ns < FRESH_NS and now - began_ns < YOUNG_NS:
                    return True
            time.sleep(0.03)
        return False

    # -- what can be done ----------------------------------------------------------------------------------------------

    def signal(self, role: str, number: int) -> None:
        """A signal to a process of it."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.number(role), number)

    def command(self, *words: str) -> "subprocess.CompletedProcess[str]":
        """`stimloop WORDS`, as the same user on the same machine."""
        return subprocess.run([str(MAKER), *words], env=self.environment, capture_output=True, text=True, timeout=20.0)

    def touch_stop_socket(self) -> None:
        """A connection to the STOP socket is a STOP."""
        (path,) = [path for path in self.folder.rglob("*") if path.is_socket()]
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
            line.connect(str(path))

    def hold_world(self) -> None:
        """Keep the world's standard input open: it must outlive the screen, or its log would end with the screen."""
        self._world = os.open(f"/proc/{self.number('world')}/fd/0", os.O_WRONLY)

    def say(self, line: str) -> None:
        """A line to the standard input of the simulated world."""
        os.write(self._world, line.encode() + b"\n")

    def press(self, keys: bytes) -> None:
        """Keys in the terminal."""
        os.write(self._terminal, keys)

    def hang_up(self) -> None:
        """The terminal window is closed."""
        if self._terminal >= 0 and not self._fed.is_set():
            self._fed.set()
            time.sleep(0.06)  # nobody may be inside a read, or the terminal stays open
            os.close(self._terminal)

    def close(self) -> list[str]:
        """End it as a person would; what is still there afterwards is ended, and named."""
        here = str(self.data)
        for number in [n for n, words in processes().items() if here in words]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(number, signal.SIGCONT)
        self.hang_up()
        if self._world >= 0:
            os.close(self._world)
        with contextlib.suppress(ProcessLookupError):
            self.front.send_signal(signal.SIGINT)
        ends_ns = now_ns() + round(ENDS_WITHIN_S * SECOND)
        left = {}
        while now_ns() < ends_ns:
            self.front.poll()
            left = {n: words for n, words in processes().items() if here in words}
            if not left:
                break
            time.sleep(0.05)
        for number in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(number, signal.SIGKILL)
        self.front.wait(10.0)
        return sorted(left.values())


# -- the ways to stop --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Way:
    """A way to stop: what is done, and within how many ms of it the documentation promises the last pulse.

    With `screen` the screen is drawn, and stays when the session has been stopped; without, the demonstration ends,
    and ends its world, which would cut a tail short.
    """

    do: Callable[[Box], None]
    within_ms: float
    screen: bool = False
    session: bool = False


def _signalled(role: str, number: int, within_ms: float, screen: bool = False) -> Way:
    return Way(lambda box: box.signal(role, number), within_ms, screen)


AT_ONCE, HEARTBEAT, WATCHDOG = 250.0, 750.0, 2_100.0
GENTLE = {"SIGTERM": signal.SIGTERM, "SIGINT": signal.SIGINT, "SIGHUP": signal.SIGHUP}
WAYS: dict[str, Way] = {
    "stimloop stop": Way(lambda box: _check(box.command("stop")), AT_ONCE),
    "STOP socket": Way(Box.touch_stop_socket, AT_ONCE),
    **{f"gateway {name}": _signalled("gateway", number, AT_ONCE) for name, number in GENTLE.items()},
    "gateway SIGKILL": _signalled("gateway", signal.SIGKILL, WATCHDOG, screen=True),
    "gateway SIGSTOP": _signalled("gateway", signal.SIGSTOP, WATCHDOG, screen=True),
    **{f"engine {name}": _signalled("engine", number, AT_ONCE) for name, number in GENTLE.items()},
    "engine SIGKILL": _signalled("engine", signal.SIGKILL, AT_ONCE),
    "engine SIGSTOP": _signalled("engine", signal.SIGSTOP, AT_ONCE),
    **{f"front {name}": _signalled("front", number, AT_ONCE) for name, number in GENTLE.items()},
    "front SIGKILL": _signalled("front", signal.SIGKILL, AT_ONCE),
    "front SIGSTOP": _signalled("front", signal.SIGSTOP, HEARTBEAT),
    "unit unplugged": Way(lambda box: box.say("unplug p24"), WATCHDOG, screen=True),
    "puck unplugged": Way(lambda box: box.say("unplug ximu3"), AT_ONCE, session=True),
    "F12": Way(lambda box: box.press(F12), AT_ONCE, screen=True),
    "terminal closed": Way(Box.hang_up, AT_ONCE, screen=True),
}


def _check(done: "subprocess.CompletedProcess[str]") -> None:
    if done.returncode != 0:
        raise RuntimeError(f"`stimloop stop` failed: {done.stderr or done.stdout}")


@dataclass
class Told:
    """What came of one trial. `begun` is False where no current flowed at that instant, so that nothing is shown."""

    way: str
    begun: bool = False
    last_ms: float = 0.0
    """From the act to the last pulse (`stimloop stop` takes a while to start: from its end, if that is later)."""
    within_ms: float = 0.0
    command_ms: float = 0.0
    unarmed: int = 0
    """Trains that no person had armed for: before the first arming, or after the stop without a new one."""
    trains: int = 0
    verified: bool = False
    left: list[str] = field(default_factory=list)
    note: str = ""

    @property
    def good(self) -> bool:
        """All that the documentation promises."""
        return self.begun and self.last_ms <= self.within_ms and not self.unarmed and self.verified and not self.left


def judge(told: Told, trains: list[dict[str, Any]], armed_ns: list[int], act_ns: int, done_ns: int) -> None:
    """Fill in what the twin's log says: what flowed at the act, when it ended, and what came without arming."""
    told.trains = len(trains)
    told.begun = any(run["t_start_ns"] <= act_ns <= run["t_end_ns"] + GAP_NS for run in trains)
    later = [at_ns for at_ns in armed_ns if at_ns > act_ns]
    from_ns, until_ns = done_ns, min(later, default=1 << 62)
    ended_ns = max((run["t_end_ns"] for run in trains if run["t_start_ns"] < until_ns), default=act_ns)
    told.last_ms = round(max(0, ended_ns - from_ns) / MS, 1)
    bound_ns = from_ns + round(told.within_ms * MS)
    told.unarmed = sum(bound_ns < run["t_start_ns"] < until_ns for run in trains)
    told.unarmed += sum(run["t_start_ns"] < min(armed_ns, default=1 << 62) for run in trains)


def trial(name: str, seed: int = 1, session: bool = False) -> Told:
    """One whole life of the product, with one way to stop while current flows. Keeps its folder when it was not good.

    By default in fitting, seconds after the start; with `session` in the third minute, in a running session.
    """
    way, told = WAYS[name], Told(name)
    told.within_ms = way.within_ms
    box = Box(Path(tempfile.mkdtemp(prefix="sl")), screen=way.screen, seed=seed)
    session = session or way.session
    try:
        scope, within_s = ("session", SESSION_WITHIN_S) if session else ("fitting", UP_WITHIN_S)
        flows = box.await_current(scope, within_s)
        if flows:
            box.hold_world()
            time.sleep(random.Random(f"{name} {seed}").uniform(0.0, 0.25))
            act_ns = now_ns()
            way.do(box)
            done_ns = now_ns() if name == "stimloop stop" else act_ns
            told.command_ms = round((done_ns - act_ns) / MS, 1)
            time.sleep(max(WATCH_S, way.within_ms / 1000 + 0.9))
    finally:
        told.left = box.close()
    if not flows:
        told.note = f"no current flowed; see {box.folder}"
        return told
    judge(told, box.trains(), box.armed_ns(), act_ns, done_ns)
    verified = box.command("verify", *map(str, box.sessions()))
    told.verified = bool(box.sessions()) and verified.returncode == 0
    told.note = "" if told.verified else verified.stdout.strip()
    if told.good:
        shutil.rmtree(box.folder, ignore_errors=True)
    else:
        told.note = f"{told.note} see {box.folder}".strip()
    return told
