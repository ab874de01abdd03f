"""The guard's first looks at an order: whether it asks for no current at all, and whether its pulses hold.

A pulse that holds is kept in the memory until a limit changes, so that it is asked about once and not each tick.
"""

from safety.memory import Memory, Vetted
from safety.orders import Deliver, Refused, Renew
from safety.rules import CHANNEL_RULE, TRAIN_RULES
from safety.stimulus import Point, Train

VETTED_MAX = 1_024
"""Pulses whose vetting is kept. The whole train, channel and current included, is the key."""


def is_off(order: Deliver | Renew) -> bool:
    """Whether an order surely asks for no current at all: no trains, or every point exactly 0 uA."""
    if type(order) is not Deliver or type(order.trains) is not tuple:
        return False
    for train in order.trains:
        if type(train) is not Train or type(train.points) is not tuple:
            return False
        for point in train.points:
            if type(point) is not Point or type(point[1]) is not int or point[1] != 0:
                return False
    return True


def vet(memory: Memory, train: Train) -> Vetted | Refused:
    """Ask the rules of the pulse; a pulse that passes is remembered until a limit changes."""
    limit = memory.limits.get(train.channel)
    number, channel_rule = CHANNEL_RULE
    reason = channel_rule(memory.device, train, limit)
    if limit is None or reason is not None:
        return Refused(number, str(reason))  # a channel without a limit always has its reason
    for number, rule in TRAIN_RULES:
        reason = rule(memory.device, train, limit)
        if reason is not None:
            return Refused(number, reason)
    busy_us = sum([point.duration_us for point in train.points]) + memory.device.overhead_us
    vetted = Vetted(train.channel, train.amplitude_ua, busy_us, train.waveform, limit.on_ms.value, limit)
    if not len(memory.vetted) < VETTED_MAX:
        memory.vetted.clear()
    memory.vetted[train] = vetted
    return vetted


def note_exact(memory: Memory, train: Train) -> None:
    """This very object has passed G01 and needs not be looked through again."""
    if not len(memory.exact) < VETTED_MAX:
        memory.exact.clear()
    memory.exact[id(train)] = train
