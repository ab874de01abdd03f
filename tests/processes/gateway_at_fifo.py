"""The gateway as it is, but for a kernel that takes FIFOs for event nodes: its folder stands in `PEDAL_MACHINE`."""

import os
from pathlib import Path

from controller.drivers import inputs
from controller.gateway.__main__ import main


class FifoKernel:
    """Answers what a FIFO cannot."""

    def number(self, descriptor):
        return (13, 64)

    def name(self, descriptor):
        return "FootSwitch"

    def keys(self, descriptor):
        return frozenset()

    def grab(self, descriptor):
        return None


if __name__ == "__main__":
    machine = Path(os.environ["PEDAL_MACHINE"])
    inputs.SYSTEM, inputs.NODES, inputs.KERNEL = machine / "class", machine / "dev", FifoKernel()
    main()
