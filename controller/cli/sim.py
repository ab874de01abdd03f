"""`stimloop sim`: a twin on a port."""

from sim.serve import add_arguments, run

__all__ = ["add_arguments", "run"]
