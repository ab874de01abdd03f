"""The protocols that are shipped, by path."""

from importlib.resources import files
from pathlib import Path


def shipped(name: str) -> Path:
    """The path of a shipped protocol, by its name without `.yaml`."""
    return Path(str(files("protocols").joinpath(f"{name}.yaml")))


CUED = "wrist_extension_cued"
SELF_PACED = "wrist_extension_self_paced"
PROPORTIONAL = "bench_proportional"
TOGETHER = "bench_together"
