"""Worlds that are set up once and copied (fork) for each seed: many seeds at a third of the cost, for the tests.

Set-up is then the same for all seeds of one base, and so are devices, protocol and kind of person; the person's chances
and everything that goes wrong follow from the seed. The campaigns set up each world anew.
"""

import json
import os
import traceback
from collections.abc import Iterator
from dataclasses import replace

from controller.assembly.swarm_plan import Plan, draw_for
from controller.assembly.swarm_world import Result, SwarmWorld


def in_a_copy(world: SwarmWorld, plan: Plan) -> Result:
    """The world becomes that of `plan` in a copy of this process, and ends there. Raises RuntimeError if it died."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        status = 1
        try:
            world.be(plan)
            with os.fdopen(writer, "wb") as pipe:
                pipe.write(world.endure().line().encode())
            status = 0
        except Exception:
            traceback.print_exc()
        finally:
            os._exit(status)  # nothing of the parent's may be run or flushed twice
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        told = pipe.read()
    os.waitpid(child, 0)
    if not told:
        raise RuntimeError(f"the copy for seed {plan.seed} died")
    return Result(**json.loads(told))


def base(plan: Plan, commit: str = "") -> SwarmWorld:
    """The world of that plan without its troubles, set up."""
    world = SwarmWorld(replace(plan, acts=(), faults=(), early=(), early_faults=()), commit)
    world.set_up()
    return world


def worlds(bases: list[Plan], seeds: range, length_s: int, commit: str = "") -> Iterator[Result]:
    """The seeds in turn on these bases."""
    ready = [base(plan, commit) for plan in bases]
    for seed in seeds:
        world = ready[seed % len(ready)]
        yield in_a_copy(world, draw_for(world.plan, seed, length_s))
