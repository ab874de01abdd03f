"""The engine process: `python -P -m controller.engine --front FD --gateway FD ...`. Started by the front."""

import argparse
import gc
import socket
import sys
from functools import partial
from pathlib import Path

from controller.channel.farewell import farewell
from controller.clock import wall_day
from controller.drivers.presence import SamePort
from controller.drivers.pucks.kind import chosen_puck
from controller.drivers.recognise import Listener
from controller.engine.core import EngineCore, Setting
from controller.engine.pucks import open_puck
from controller.engine.records import open_session
from controller.engine.shell import EngineShell
from controller.record.care import CareBook
from controller.session import screening
from controller.session.loader import load

SWITCH_INTERVAL_S = 0.0005  # the record's thread must give the interpreter back quickly


def main() -> None:
    """Join core, puck, record and descriptors, and serve."""
    options = _options()
    try:
        failure = _joined(options).run()
    except Exception as error:  # the shell has a last line of its own: here it has not begun yet
        failure = farewell("engine", error, "It did not start.")
    if failure:
        sys.exit(failure)


def _joined(options: argparse.Namespace) -> EngineShell:
    """Core, puck, record and descriptors, joined."""
    kind, which, port = chosen_puck(options.puck)
    loaded = load(options.protocol)
    setting = Setting(
        loaded=loaded,
        puck=kind.driver_at(port),
        which_puck=which,
        puck_rate_hz=options.puck_rate,
        listener=Listener(kind.capabilities.device),
        open_record=partial(open_session, options.data, loaded, options.seed, options.side, operator=options.operator),
        affected_side=options.side,
        repetitions=options.repetitions,
        calibration_rest_s=options.calibration_rest,
        calibration_attempts=options.calibration_attempts,
        screening=screening.load(screening.found(options.data, options.screening)),
        care=CareBook(options.data),
        day=lambda: wall_day()[0],
    )
    shell = EngineShell(
        EngineCore(setting),
        socket.socket(fileno=options.front),
        socket.socket(fileno=options.gateway),
        socket.socket(fileno=options.handover),
        options.gateway_pid,
        partial(open_puck, kind, SamePort(port)),
    )
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    gc.collect()
    gc.freeze()
    gc.disable()
    return shell


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="stimloop-engine")
    for name in ("--front", "--gateway", "--handover", "--gateway-pid"):
        parser.add_argument(name, type=int, required=True)
    parser.add_argument("--puck", required=True, help="kind:url, or kind.puck:url for one puck of a dongle")
    parser.add_argument("--puck-rate", type=float, default=100.0)
    parser.add_argument("--protocol", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--side", default="right")
    parser.add_argument("--operator", default="")
    parser.add_argument("--screening", type=Path)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--repetitions", type=int)
    parser.add_argument("--calibration-rest", type=float)
    parser.add_argument("--calibration-attempts", type=int)
    return parser.parse_args()


if __name__ == "__main__":
    main()
