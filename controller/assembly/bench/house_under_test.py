"""The real screen, engine and gateway on ports that the bench holds: started, watched and ended."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from controller.assembly.bench.terminals import ScreenTerminal
from controller.assembly.protocols import PROPORTIONAL, TOGETHER, shipped
from controller.assembly.scripted_screen import FRAMES, PROCESSES
from controller.clock import SECOND, now_ns

STARTS_WITHIN_NS = 20 * SECOND
ENDS_WITHIN_NS = 3 * SECOND
KEY_F12 = b"\x1b[24~"


class HouseUnderTest:
    """`stimloop`'s three processes with a scripted therapist, on a terminal of the bench's own."""

    def __init__(
        self,
        unit: str,
        puck: str,
        data: Path,
        puck_rate_hz: float = 100.0,
        tolerance_ua: int = 2_000,
        screen: bool = True,
        orthosis: str = "",
        pedal: str = "",
    ) -> None:
        self.data = data
        self.data.mkdir(parents=True, exist_ok=True)
        # A runtime folder of its own: `stimloop stop` of one run must not reach another.
        self.environment = {**os.environ, "XDG_RUNTIME_DIR": str(data)}
        self.terminal = ScreenTerminal()
        words = ["--unit", f"p24:{unit}", "--puck", f"ximu3:{puck}", "--puck-rate", str(puck_rate_hz)]
        words += ["--data", str(data), "--tolerance-ua", str(tolerance_ua)]
        words += ["--protocol", str(shipped(TOGETHER if orthosis else PROPORTIONAL))]
        words += ["--orthosis", f"dynamixel:{orthosis}"] if orthosis else []
        words += ["--pedal", pedal] if pedal else []
        words += [] if screen else ["--no-screen"]
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-m", "controller.assembly.scripted_screen", *words],
            stdin=self.terminal.slave,
            stdout=self.terminal.slave,
            stderr=self.terminal.slave,
            start_new_session=True,
            env={**self.environment, "TERM": "xterm-256color", "COLORTERM": "truecolor"},
        )
        self.terminal.let_go()
        self.numbers: dict[str, int] = self._await_numbers()

    def _await_numbers(self) -> dict[str, int]:
        path = self.data / PROCESSES
        ends_ns = now_ns() + STARTS_WITHIN_NS
        while now_ns() < ends_ns:
            with contextlib.suppress(OSError, ValueError):
                numbers: dict[str, int] = json.loads(path.read_text())
                return numbers
            if self.process.poll() is not None:
                break
            time.sleep(0.05)
        raise RuntimeError(f"the screen did not come up; see {self.data}")

    def frames(self) -> dict[str, Any]:
        """What the screen has written down: {t_ns, frames (drawn), state, torque_mnm} (empty before the first)."""
        with contextlib.suppress(OSError, ValueError):
            counted: dict[str, Any] = json.loads((self.data / FRAMES).read_text())
            return counted
        return {}

    def sessions(self) -> list[Path]:
        """The session folders of this run."""
        return sorted(path.parent for path in self.data.glob("sub-*/ses-*/session.json"))

    def signal(self, role: str, number: int) -> None:
        """A signal to the screen, engine or gateway."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.numbers[role], number)

    def close(self) -> None:
        """End whatever is left."""
        for role in self.numbers:
            self.signal(role, signal.SIGCONT)
        self.process.terminate()
        try:
            self.process.wait(3.0)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self._await_end()
        self.terminal.close()

    def _await_end(self) -> None:
        """Engine and gateway end by themselves once the screen has gone; what does not is ended."""
        ends_ns = now_ns() + ENDS_WITHIN_NS
        while now_ns() < ends_ns and any(map(_alive, (self.numbers["engine"], self.numbers["gateway"]))):
            time.sleep(0.02)
        for role in ("engine", "gateway"):
            self.signal(role, signal.SIGKILL)


def _alive(number: int) -> bool:
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    return True
