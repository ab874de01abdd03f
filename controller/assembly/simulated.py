"""The simulated devices as a process of their own, on real ports: `sim world`, with its commands on stdin."""

import contextlib
import json
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

FAREWELL_S = 3.0
_SAME_UNIT = {"p24-low": "p24", "fitmi.blue": "fitmi", "fitmi.yellow": "fitmi-yellow"}
"""Kinds of devices that are one and the same unit, driven or worn in another way."""


def twin_of(kind: str) -> str:
    """The name of the twin that stands at the other end of this kind of device."""
    return _SAME_UNIT.get(kind, kind)


@dataclass(frozen=True, slots=True)
class SimulatedPlan:
    """What to serve. `motion` is (file, trial): a recording that starts at the word `play`."""

    seed: int
    log: Path
    motion: tuple[Path, str] | None = None
    rate_hz: float | None = None
    self_paced: bool = False
    devices: tuple[str, ...] = ("p24", "ximu3")


@dataclass(slots=True)
class SimulatedDevices:
    """A running `sim` process. Raises RuntimeError when it does not come up."""

    plan: SimulatedPlan
    process: "subprocess.Popen[str]" = field(init=False)
    _urls: dict[str, str] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        plan = self.plan
        plan.log.parent.mkdir(parents=True, exist_ok=True)
        # The devices end with whoever started them, however that one ends.
        words = [
            "world",
            "--devices",
            ",".join(plan.devices),
            "--log",
            str(plan.log),
            "--seed",
            str(plan.seed),
            "--end-with-stdin",
        ]
        if plan.motion is not None:
            words += ["--motion", f"{plan.motion[0]}:{plan.motion[1]}", "--start-on", "play"]
        if plan.rate_hz is not None:
            words += ["--rate", str(plan.rate_hz)]
        if plan.self_paced:
            words.append("--self-paced")
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-m", "controller.cli.main", "sim", *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        )
        for _ in plan.devices:
            self._read_url()

    def _read_url(self) -> None:
        line = self.process.stdout.readline() if self.process.stdout else ""
        if not line:
            raise RuntimeError("the simulated devices did not come up: try `stimloop sim world`")
        told = json.loads(line)
        self._urls[told["device"]] = told["url"]

    def url(self, device: str) -> str:
        """The port of a twin."""
        return self._urls[device]

    def port(self, kind: str) -> str:
        """`kind:url` of the twin that stands for this kind of device, as the real processes take it."""
        return f"{kind}:{self._urls[twin_of(kind)]}"

    def say(self, words: str) -> None:
        """A line to the world: `cue`, `play`, `unplug ximu3`."""
        with contextlib.suppress(BrokenPipeError):
            if self.process.stdin is not None:
                self.process.stdin.write(words + "\n")
                self.process.stdin.flush()

    def close(self) -> None:
        """End the process, so that its log is whole."""
        self.process.terminate()
        try:
            self.process.wait(FAREWELL_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()
