"""The gateway process: `python -P -m controller.gateway --front FD --engine FD --unit URL`. Started by the front."""

import argparse
import gc
import secrets
import socket

from controller.channel.stopline import runtime_folder
from controller.drivers.orthoses.kind import orthosis
from controller.drivers.stimulators.kind import stimulator
from controller.gateway.core import GatewayCore
from controller.gateway.selftest import first_fault
from controller.gateway.shell import GatewayShell


def main() -> None:
    """Join core, driver and descriptors, and serve."""
    parser = argparse.ArgumentParser(prog="stimloop-gateway")
    parser.add_argument("--front", type=int, required=True)
    parser.add_argument("--engine", type=int, required=True)
    parser.add_argument("--unit", required=True, help="kind:url")
    parser.add_argument("--orthosis", default="", help="kind:url of a powered orthosis")
    options = parser.parse_args()
    # Numbers start somewhere new in each gateway, so that a confirmation meant for an earlier one cannot fit.
    first_number = 1 + secrets.randbelow(1_000_000)
    name, url = options.unit.split(":", 1)
    kind = stimulator(name)
    orthosis_name, _, joint_url = options.orthosis.partition(":")
    worn = orthosis(orthosis_name) if orthosis_name else None
    core = GatewayCore(kind, first_number, fault=first_fault(), orthosis=worn)
    shell = GatewayShell(
        core,
        socket.socket(fileno=options.front),
        socket.socket(fileno=options.engine),
        url,
        runtime_folder(),
        joint_url,
    )
    gc.collect()
    gc.freeze()
    gc.disable()
    shell.run()


if __name__ == "__main__":
    main()
