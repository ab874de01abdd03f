"""Ten bugs on purpose, and for each the layers of proof that see it. A layer that stays green is no layer.

A bug is one or more patches of source text (what stands there, what stands there instead). A layer is a name and the
tests that stand for it; it is red when one of them fails. To add a layer (a checker, a campaign, a model check) add a
line. Layers are independent: they judge by different code, from other figures.
"""

from typing import NamedTuple


class Patch(NamedTuple):
    """`before` stands exactly once in the file."""

    file: str
    before: str
    after: str


class Bug(NamedTuple):
    """What is wrong, how it comes about, and layer > tests."""

    what: str
    patches: tuple[Patch, ...]
    layers: dict[str, tuple[str, ...]]


_GUARD, _GATEWAY, _ASSEMBLY = "tests/safety/", "tests/gateway/", "tests/assembly/"
_MODEL = (
    "tests/model/test_model_check.py::test_no_letter_from_any_root_puts_on_the_skin_or_the_joint_what_must_not_be_there"
)
_DELIVERY = "controller/gateway/delivery.py"
_CORPUS = tuple(
    f"{_GUARD}test_guard_corpus.py::test_nothing_that_was_refused_is_admitted[{number}]" for number in range(3)
)
_SKIN = f"{_GUARD}test_guard_properties.py::test_no_sequence_puts_more_on_the_skin_than_the_caps"

BUGS: dict[str, Bug] = {
    "clamp": Bug(
        "The guard lowers what is too much to what is allowed, instead of refusing it.",
        (
            Patch(
                "safety/guard.py",
                "            for train in order.trains:\n                vetted = ",
                "            for train in [_lowered(memory, train) for train in order.trains]:\n"
                "                vetted = ",
            ),
            Patch(
                "safety/guard.py",
                "\n\nclass Guard(Today):",
                "\n\ndef _lowered(memory, train):\n"
                "    limit = memory.limits.get(train.channel)\n"
                "    if limit is None:\n"
                "        return train\n"
                "    most = limit.amplitude_ua.value\n"
                "    points = tuple(p._replace(current_ua=max(-most, min(most, p.current_ua))) for p in train.points)\n"
                "    return train._replace(points=points)\n"
                "\n\nclass Guard(Today):",
            ),
        ),
        {
            "rule": (f"{_GUARD}test_rules_of_the_pulse.py",),
            "frozen corpus": _CORPUS,
            "skin model": (f"{_SKIN}[forearm]",),
        },
    ),
    "open bounds": Bug(
        "A bound asks `x < lo or x > hi`: what is neither, such as NaN, gets through.",
        (
            Patch(
                "safety/pulse_rules.py",
                "    if train.amplitude_ua <= limit.amplitude_ua.value:\n        return None\n",
                "    if not (train.amplitude_ua < 0 or train.amplitude_ua > limit.amplitude_ua.value):\n"
                "        return None\n",
            ),
        ),
        {
            "house rules": (f"{_GUARD}test_safety_house_rules.py::test_guard_files_keep_the_rules",),
            "rule alone": (f"{_GUARD}test_rules_asked_alone.py",),
        },
    ),
    "free-running keep-alive": Bug(
        "The driver feeds the unit's watchdog whether or not a lease lives.",
        (
            Patch(
                "controller/drivers/stimulators/sciencemode_driver.py",
                "            return self._keep(now_ns, alive, events), events\n",
                "            return self._keep(now_ns, True, events), events\n",
            ),
        ),
        {
            "driver": (
                "tests/drivers/test_p24_driver.py::test_keep_alive_is_sent_every_400_ms_and_only_while_alive",
                "tests/drivers/test_p24_driver.py::test_without_a_lease_not_even_the_probe_keeps_the_unit_alive",
            ),
            "driver and twin, at the skin": (
                "tests/drivers/test_p24_driver.py::test_with_the_twin_nothing_keeps_the_unit_running_without_a_lease",
            ),
        },
    ),
    "latch that clears": Bug(
        "A unit that is plugged in again clears the latch.",
        (
            Patch(
                "controller/gateway/device_side.py",
                "    if core.state is GatewayState.CLOSED:\n        core.move",
                "    if core.state is GatewayState.LATCHED:\n        core.state = GatewayState.CONNECTED\n"
                "    if core.state is GatewayState.CLOSED:\n        core.move",
            ),
        ),
        {
            "gateway": (f"{_GATEWAY}test_gateway_silence.py",),
            "gateway, any script": (
                f"{_GATEWAY}test_identified_and_placed.py::test_a_latch_is_left_only_by_a_person_s_two_keys_and_a_reason",
            ),
        },
    ),
    "resend": Bug(
        "After a reconnection the last order is sent again.",
        (
            Patch(
                "controller/gateway/delivery.py",
                "            self._voice.unit(driver.deliver(answer, now_ns))\n",
                "            self._voice.unit(driver.deliver(answer, now_ns))\n            self.last = answer\n",
            ),
            Patch(
                "controller/gateway/device_side.py",
                "    if isinstance(event, Ready):\n        if core.state",
                "    if isinstance(event, Ready):\n"
                "        if getattr(core.delivery, 'last', None) is not None:\n"
                "            core.voice.unit(core.unit.driver.deliver(core.delivery.last, now_ns))\n"
                "        if core.state",
            ),
        ),
        {
            "gateway": (
                f"{_GATEWAY}test_gateway_silence.py::test_after_a_reconnect_stop_comes_first_and_no_update_ever_again",
            ),
            "virtual session": (f"{_ASSEMBLY}test_virtual_faults.py",),
        },
    ),
    "ramp skipped": Bug(
        "The first order after a stop is at the full level: no ramp, no slew.",
        (
            Patch(
                "controller/engine/stimulation.py",
                "        if wanted != self.now_ua:\n            self._remember(now_ns)\n",
                "        if not self.history and self.target_ua > 0:\n            wanted = self.target_ua\n"
                "        if wanted != self.now_ua:\n            self._remember(now_ns)\n",
            ),
        ),
        {
            "engine": ("tests/engine/test_engine_orders.py",),
            "virtual session, the guard judges": (f"{_ASSEMBLY}test_virtual_session.py",),
        },
    ),
    "mA for uA": Bug(
        "The half milliamperes of the wire are taken for quarter ones when a pulse is encoded: twice the current.",
        (
            Patch(
                "controller/wire/sciencemode/pulses.py",
                "(current_ua // CURRENT_STEP_UA + _ZERO_CURRENT)",
                "(current_ua // (CURRENT_STEP_UA // 2) + _ZERO_CURRENT)",
            ),
        ),
        {
            "golden bytes": ("tests/wire/test_sciencemode_p24.py",),
            "pair check of the driver": (f"{_GATEWAY}test_gateway_orders.py",),
            "virtual session": (f"{_ASSEMBLY}test_virtual_session.py",),
        },
    ),
    "endless lease": Bug(
        "A lease lasts an hour: what was admitted once goes on for as long as anybody beats.",
        (
            Patch(
                _DELIVERY,
                "            self.lease_until_ns = answer.expires_ns\n            return Verdict",
                "            self.lease_until_ns = answer.expires_ns + 3_600_000_000_000\n            return Verdict",
            ),
            Patch(
                _DELIVERY,
                "        self.lease_until_ns = answer.expires_ns\n        if self.guard",
                "        self.lease_until_ns = answer.expires_ns + 3_600_000_000_000\n        if self.guard",
            ),
        ),
        {
            "gateway": (f"{_GATEWAY}test_gateway_silence.py",),
            "skin, after the last order": (
                f"{_GATEWAY}test_last_input.py::test_current_outlives_the_last_order_by_one_lease_at_most",
            ),
            "virtual session": (
                f"{_ASSEMBLY}test_virtual_faults.py::test_an_engine_that_freezes_stops_within_the_lease_and_a_tick",
            ),
        },
    ),
    "stale sample": Bug(
        "The engine takes a puck that is silent for one that is fresh.",
        (
            Patch(
                "controller/engine/motion_feed.py",
                "        return self.sample_ns > 0 and now_ns - self.sample_ns <= self.settings.stale_ns\n",
                "        return self.sample_ns > 0\n",
            ),
        ),
        {
            "engine": ("tests/engine/test_engine_supervision.py",),
            "virtual session, the guard judges": (
                f"{_ASSEMBLY}test_virtual_faults.py::test_a_puck_that_falls_silent_pauses_and_nothing_latches",
            ),
        },
    ),
    "torque kept": Bug(
        "STOP ends the current, and the orthosis goes on pushing.",
        (Patch("controller/gateway/core.py", '        self.joint.stop(now_ns, "stopped")\n', ""),),
        {
            "gateway": (f"{_GATEWAY}test_orthosis.py::test_one_stop_stops_both_in_the_same_step",),
            "model check": (f"{_MODEL}[running, current and torque]",),
        },
    ),
}
