"""The gateway process: `python -P -m controller.gateway --front FD --engine FD --unit URL`. Started by the front."""

import argparse
import gc
import secrets
import socket
import sys
from datetime import date
from pathlib import Path

from controller.channel.farewell import farewell
from controller.channel.stopline import runtime_folder
from controller.clock import now_ns, wall_day
from controller.drivers.orthoses.kind import orthosis
from controller.drivers.stimulators.kind import stimulator
from controller.gateway.authorisation import default_path, read
from controller.gateway.core import GatewayCore
from controller.gateway.pedal import Pedals
from controller.gateway.permit import Holder
from controller.gateway.selftest import first_fault
from controller.gateway.shell import GatewayShell


def main() -> None:
    """Join core, driver and descriptors, and serve."""
    parser = argparse.ArgumentParser(prog="stimloop-gateway")
    parser.add_argument("--front", type=int, required=True)
    parser.add_argument("--engine", type=int, required=True)
    parser.add_argument("--unit", required=True, help="kind:url")
    parser.add_argument("--orthosis", default="", help="kind:url of a powered orthosis")
    parser.add_argument("--data", type=Path, help="where records go; each patient's dose of the day stands there too")
    parser.add_argument("--authorisation", type=Path, help="who may use which real unit for what")
    parser.add_argument("--operator", default="", help="who works here, as named in the authorisation")
    parser.add_argument("--pedal", default="", help="serial number of the foot pedal that stops")
    parser.add_argument("--button-pedal", default="", help="serial number of the foot pedal that is the button")
    options = parser.parse_args()
    try:
        failure = _joined(options).run()
    except Exception as error:  # the shell has a last line of its own: here it has not begun yet
        failure = farewell("gateway", error, "It did not start: no port was opened.")
    if failure:
        sys.exit(failure)


def _joined(options: argparse.Namespace) -> GatewayShell:
    """Core, driver and descriptors, joined."""
    # Numbers start somewhere new in each gateway, so that a confirmation meant for an earlier one cannot fit.
    first_number = 1 + secrets.randbelow(1_000_000)
    name, url = options.unit.split(":", 1)
    kind = stimulator(name)
    orthosis_name, _, joint_url = options.orthosis.partition(":")
    worn = orthosis(orthosis_name) if orthosis_name else None
    core = GatewayCore(
        kind,
        first_number,
        fault=first_fault(),
        orthosis=worn,
        holder=holder_now(options.authorisation or default_path(), options.operator, url, joint_url),
        keeps_dose=options.data is not None,
        pedals=Pedals(options.pedal, options.button_pedal),
    )
    shell = GatewayShell(
        core,
        socket.socket(fileno=options.front),
        socket.socket(fileno=options.engine),
        url,
        runtime_folder(),
        joint_url,
        options.data,
    )
    gc.collect()
    gc.freeze()
    gc.disable()
    return shell


def holder_now(path: Path, operator: str, unit_port: str, joint_port: str) -> Holder:
    """Who works here: the file is read, and the wall clock looked at, this once."""
    day, into_day_ns = wall_day()
    today = date.fromisoformat(day)
    return Holder(read(path, today), operator, unit_port, joint_port, today, now_ns(), into_day_ns)


if __name__ == "__main__":
    main()
