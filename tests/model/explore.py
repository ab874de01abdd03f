"""Every word of the alphabet from every root, to a depth; each new state once. Judged at the skin, never by variables.

A state is a world that cannot be copied (two cores, twins, a body), so a word is lived in a process of its own: the
root is built once, a child is forked for each state, lives its word, and forks a grandchild for each letter. What the
letter led to comes back as a fingerprint; a fingerprint that was there before is not gone on from. The fingerprint
reads the cores' variables, for it only says where to look; the verdict is the checkers', who read pulses and torque.
"""

import gc
import hashlib
import json
import os
import select
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from controller.assembly.swarm_plan import Act
from controller.assembly.swarm_world import SwarmWorld
from controller.clock import MS, SECOND
from sim.checker_course import Body, trains_of
from sim.checkers import judge
from sim.joint_checker import runs_of
from tests.model.alphabet import Letter, letters
from tests.model.roots import Root, bring

AFTER_NS = 40 * MS
"""Time enough for a pulse after each letter."""
GOING_ON_NS, DARK_NS = 150 * MS, 400 * MS
"""After the last letter life goes on for a little; then the engine is killed, and skin and joint must fall dark."""
STEP_UA = 1_000
Word = tuple[str, ...]


@dataclass
class Found:
    """What an exploration came to. `violations` are (word, what was found)."""

    root: str
    states: int = 1
    transitions: int = 0
    depth: int = 0
    words_left: int = 0
    violations: list[tuple[Word, str]] = field(default_factory=list)


# -- one word ----------------------------------------------------------------------------------------------------------


def live(world: SwarmWorld, letter: Letter) -> None:
    """One letter, and the instant after it."""
    letter(world)
    world.house.run(world.house.now_ns + AFTER_NS)


def verdict(world: SwarmWorld) -> list[str]:
    """The engine dies soon; what the checkers find in the whole of this life. Ends the world."""
    house = world.house
    house.run(house.now_ns + GOING_ON_NS)
    world.acts.kill(house.now_ns, Act("kill", "engine"))
    house.run(house.now_ns + DARK_NS)
    house.world.close(house.now_ns)
    hands = world.person.hands
    body = Body(hands.regions, hands.pads_mm2, {c: ua + STEP_UA for c, ua in hands.ceilings_ua.items()})
    found = judge(trains_of(world.log), body, world.course)
    if world.patient.witness is not None:
        found += world.patient.witness.judge(world.course, world.acts.gear, runs_of(world.log))
    crashed = [f"crash: {what}" for _, what in house.crashes]
    return [f"{one.rule}: {one.text}" for one in found] + crashed


def fingerprint(world: SwarmWorld) -> str:
    """Where a world stands, coarsely enough that words meet again: what can make a difference to what comes next."""
    house, now_ns = world.house, world.house.clock.read(world.house.now_ns)
    gateway, engine = house.gateway, house.engine
    guard, driver = gateway.delivery.guard, gateway.unit.driver
    unit = house.world.stimulator
    parts: list[Any] = [
        house.engine_process.up,
        house.gateway_process.up,
        engine.state,
        engine.training.phase if hasattr(engine.training, "phase") else "",
        gateway.state,
        gateway.scope,
        gateway.stop_tested,
        gateway.wish is not None,
        bool(gateway.blocked(now_ns)),
        house.front.arm_number is not None,
        guard.delivering,
        guard.moving,
        _stage(guard.rest_until_ns - now_ns, (0, 500 * MS, 1_800 * MS, 2 * SECOND)),
        _stage(gateway.delivery.lease_until_ns - now_ns, (-1, 20 * MS, 60 * MS)),
        None if driver is None else (driver.ready, driver.confirmed_zero),
        () if unit is None else tuple((number, ua // 2_000) for number, ua, _, _ in unit.twin.drive()),
        gateway.watch.front_alive(now_ns),
        gateway.watch.engine_alive(now_ns),
        engine.feed.fresh(now_ns),
        house.unit.here is not None,
        house.puck.here is not None,
        bool(world.house.crashes),
    ]
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]


def _stage(left_ns: int, bounds: Sequence[int]) -> int:
    return sum(left_ns > bound for bound in bounds)


# -- many words --------------------------------------------------------------------------------------------------------


def explore(root: Root, depth: int, jobs: int = 2, words_max: int = 1 << 30, only: Sequence[str] = ()) -> Found:
    """All words up to `depth` letters from a root, at most `words_max` states gone on from; `only` these letters."""
    world, alphabet = bring(root), letters(root.orthosis)
    chosen = {name: alphabet[name] for name in (only or alphabet)}
    found, seen = Found(root.name), {fingerprint(world)}
    gc.collect()
    gc.freeze()
    frontier: list[Word] = [()]
    while frontier and found.depth < depth:
        found.depth += 1
        following: list[Word] = []
        for word, letter, mark, wrong in _answers(world, frontier[:words_max], chosen, jobs):
            found.transitions += 1
            found.violations += [((*word, letter), text) for text in wrong]
            if mark not in seen and not wrong:
                seen.add(mark)
                following.append((*word, letter))
        words_max -= min(words_max, len(frontier))
        frontier = following
    found.states, found.words_left = len(seen), len(frontier)
    gc.unfreeze()
    return found


def _answers(
    world: SwarmWorld, words: Sequence[Word], chosen: dict[str, Letter], jobs: int
) -> Iterator[tuple[Word, str, str, list[str]]]:
    """(word, letter, fingerprint, violations) of each letter after each word, from children that run side by side."""
    waiting = list(reversed(words))
    running: dict[int, tuple[Word, bytes, int]] = {}
    while waiting or running:
        while waiting and len(running) < jobs:
            word = waiting.pop()
            reader, pid = _child(world, word, chosen)
            running[reader] = (word, b"", pid)
        for reader in select.select(list(running), [], [])[0]:
            word, rest, pid = running[reader]
            data = os.read(reader, 1 << 16)
            *lines, rest = (rest + data).split(b"\n")
            running[reader] = (word, rest, pid)
            for line in lines:
                letter, mark, wrong = json.loads(line)
                yield word, letter, mark, wrong
            if not data:
                os.close(reader)
                os.waitpid(pid, 0)
                del running[reader]


def _child(world: SwarmWorld, word: Word, chosen: dict[str, Letter]) -> tuple[int, int]:
    """A process that lives the word and then, in a process of its own, each letter. (what it says, its number)."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid:
        os.close(writer)
        return reader, pid
    os.close(reader)
    try:
        for letter in word:
            live(world, chosen[letter])
        for name, letter in chosen.items():
            grandchild = os.fork()
            if grandchild == 0:
                _answer(world, name, letter, writer)
            os.waitpid(grandchild, 0)
    finally:
        os._exit(0)


def _answer(world: SwarmWorld, name: str, letter: Letter, writer: int) -> None:
    """Live one letter, say what came of it, and be gone."""
    try:
        live(world, letter)
        mark = fingerprint(world)
        line = [name, mark, verdict(world)]
    except BaseException as error:  # a letter that cannot be lived is a finding, too
        line = [name, "", [f"could not be lived: {error!r}"]]
    os.write(writer, json.dumps(line).encode() + b"\n")
    os._exit(0)
