"""Fault campaigns: every driver against its twin under seeded mixes of faults, on the virtual clock.

    python -m tests.drivers.campaign --seeds 1000 --device p24      # one line a device; exit 1 on a violation
    python -m tests.drivers.campaign --device p24 --seed 123        # one seed again, told in full

What is asked of a stimulator is in `campaign_stimulators`, of a puck in `campaign_pucks`, of a powered orthosis in
`campaign_orthoses`. A seed gives the same run each time.
"""

import argparse
import sys
import traceback
from collections.abc import Callable
from importlib import import_module

from controller.drivers import registry
from sim.catalogue import TWINS
from tests.drivers.campaign_mix import DRIVERS, SECOND, Outcome, driver_of, twin_of

HARNESSES = {
    registry.STIMULATORS: "tests.drivers.campaign_stimulators",
    registry.PUCKS: "tests.drivers.campaign_pucks",
    registry.ORTHOSES: "tests.drivers.campaign_orthoses",
}


def devices() -> dict[str, str]:
    """Every driver that has a twin, and further twins of a driver: name -> group."""
    groups = {name: group for group in HARNESSES for name in registry.OWN[group]}
    known = {name: groups.get(driver_of(name)) for name in (*groups, *DRIVERS)}
    return {
        name: group for name, group in known.items() if group is not None and dict.__contains__(TWINS, twin_of(name))
    }


def run_seed(device: str, seed: int) -> Outcome:
    """One seed on one device. Whatever raises is a violation."""
    run: Callable[[str, int], Outcome] = import_module(HARNESSES[devices()[device]]).run
    try:
        return run(device, seed)
    except Exception as error:
        where = traceback.extract_tb(error.__traceback__)[-1]
        out = Outcome(device, seed, ())
        out.violations.append(f"{type(error).__name__}: {error} ({where.filename}:{where.lineno})")
        return out


def again(outcome: Outcome) -> str:
    """The command that repeats a seed."""
    return f"python -m tests.drivers.campaign --device {outcome.device} --seed {outcome.seed}"


def campaign(device: str, seeds: range) -> list[Outcome]:
    """All seeds on one device, with one line of figures on stdout and each violation with its command."""
    outcomes = [run_seed(device, seed) for seed in seeds]
    broken = [outcome for outcome in outcomes if outcome.violations]
    slowest = max(outcomes, key=lambda outcome: outcome.recovered_ns)
    print(
        f"{device:14} seeds {len(outcomes)}, faults {sum(len(outcome.mix) for outcome in outcomes)}, "
        f"latches {sum(outcome.latches for outcome in outcomes)}, violations {len(broken)}, "
        f"slowest recovery {max(slowest.recovered_ns, 0) / SECOND:.2f} s (seed {slowest.seed})",
        flush=True,
    )
    for outcome in broken[:10]:
        print(f"  {again(outcome)}\n    {outcome.violations[0]}", flush=True)
    return broken


def main() -> int:
    """0: no violation. 1: there is one."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--seeds", type=int, default=50, help="seeds for each device, from --first on")
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--seed", type=int, help="only this seed, told in full")
    parser.add_argument("--device", action="append", choices=list(devices()), help="only this one (more than once)")
    options = parser.parse_args()
    wanted = options.device or list(devices())
    if options.seed is None:
        broken = [campaign(device, range(options.first, options.first + options.seeds)) for device in wanted]
        return 1 if any(broken) else 0
    for device in wanted:
        outcome = run_seed(device, options.seed)
        print(f"{device} seed {outcome.seed}: {' '.join(outcome.mix)}")
        for at_ns, cause in outcome.causes:
            print(f"  latched at {at_ns / SECOND:.3f} s: {cause}")
        print(f"  recovered after {outcome.recovered_ns / SECOND:.3f} s")
        print("\n".join(f"  {violation}" for violation in outcome.violations) or "  no violation")
        if outcome.violations:
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
