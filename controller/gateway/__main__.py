"""The gateway process: `python -P -m controller.gateway --front FD --engine FD --unit URL`. Started by the front."""

import argparse
import gc
import secrets
import socket

from controller.channel.stopline import runtime_folder
from controller.drivers.ports import LineSettings
from controller.drivers.stimulators.p24 import P24_LIMITS, P24Driver
from controller.gateway.core import GatewayCore
from controller.gateway.selftest import first_fault
from controller.gateway.shell import GatewayShell


def main() -> None:
    """Join core, driver and descriptors, and serve."""
    parser = argparse.ArgumentParser(prog="stimloop-gateway")
    parser.add_argument("--front", type=int, required=True)
    parser.add_argument("--engine", type=int, required=True)
    parser.add_argument("--unit", required=True)
    options = parser.parse_args()
    # Numbers start somewhere new in each gateway, so that a confirmation meant for an earlier one cannot fit.
    first_number = 1 + secrets.randbelow(1_000_000)
    # 3 Mbaud 8N2 with RTS/CTS is what the unit's protocol asks for (its USB port ignores it).
    line = LineSettings(baud=3_000_000, stop_bits=2, rts_cts=True)
    core = GatewayCore(P24_LIMITS, P24Driver, first_number, fault=first_fault())
    shell = GatewayShell(
        core,
        socket.socket(fileno=options.front),
        socket.socket(fileno=options.engine),
        options.unit,
        line,
        runtime_folder(),
    )
    gc.collect()
    gc.freeze()
    gc.disable()
    shell.run()


if __name__ == "__main__":
    main()
