"""The protocols that are shipped load, resolve and have the numbers that their comments promise."""

import json

import pytest

from controller.session.attempts import attempt_settings
from controller.session.diagram import mermaid
from controller.session.loader import load
from controller.session.resolve import ResolvedFollow, resolve

NAMES = ["wrist_extension_cued", "wrist_extension_self_paced", "bench_proportional", "bench_together"]


@pytest.mark.parametrize("name", NAMES)
def test_shipped_protocols_are_accepted_and_freeze_to_json(protocols, name):
    loaded = load(protocols / f"{name}.yaml")
    resolved = resolve(loaded, {"extensors": 20_000})
    again = json.loads(json.dumps(resolved.as_json()))
    assert again["sha256"] == loaded.sha256
    assert again["channels"][0]["amplitude_ua"] == 20_000
    assert not any(isinstance(value, float) for value in _leaves(again))


def test_numbers_of_the_cued_protocol(protocols):
    resolved = resolve(load(protocols / "wrist_extension_cued.yaml"), {"extensors": 18_900})
    channel = resolved.channel("extensors")
    assert (channel.channel, channel.region, channel.pad_area_mm2) == (1, "forearm", 2500)
    assert (channel.amplitude_ua, channel.bound_by) == (18_500, "today's ceiling")
    assert (channel.pulse_width_us, channel.interphase_us, channel.period_us) == (250, 0, 29_000)
    assert (channel.ramp_up_ns, channel.ramp_down_ns) == (500_000_000, 300_000_000)
    assert channel.on_ms_max == 5000 + 2000 + 300 + 100
    assert (resolved.repetitions, resolved.window_ns, resolved.self_paced) == (60, 6_000_000_000, False)
    rest = resolved.phases[0]
    assert rest.at_least_ns * 2 >= channel.on_ms_max * 1_000_000
    cue = next(phase for phase in resolved.phases if phase.name == "cue")
    assert (cue.is_cue, cue.wants_attempt, cue.limit_ns) == (True, True, 6_000_000_000)


def test_only_the_smallest_bound_binds_and_no_ceiling_means_no_current(protocols):
    loaded = load(protocols / "wrist_extension_cued.yaml")
    assert resolve(loaded, {}).channel("extensors").amplitude_ua == 0
    free = resolve(loaded, {"extensors": 44_000}).channel("extensors")
    assert (free.amplitude_ua, free.bound_by) == (25_000, "protocol")
    with pytest.raises(KeyError):
        resolve(loaded, {"flexors": 1})
    with pytest.raises(ValueError, match="-1"):
        resolve(loaded, {"extensors": -1})


def test_the_self_paced_protocol_has_no_window_and_no_cue(protocols):
    resolved = resolve(load(protocols / "wrist_extension_self_paced.yaml"), {})
    assert resolved.self_paced
    assert resolved.window_ns == 0
    assert not any(phase.is_cue for phase in resolved.phases)
    assert any(phase.wants_attempt for phase in resolved.phases)


def test_the_bench_protocol_maps_the_angle_onto_the_amplitude(protocols):
    resolved = resolve(load(protocols / "bench_proportional.yaml"), {})
    follow = next(phase for phase in resolved.phases if phase.name == "follow")
    ((channel, share),) = follow.stimulate
    assert (channel, follow.limit_ns) == ("extensors", 9_000_000_000)
    assert isinstance(share, ResolvedFollow)
    angles = [-5.0, 0.0, 0.5, 15.0, 30.0, 59.99, 60.0, 200.0, float("nan"), float("inf")]
    assert [share.permille(angle) for angle in angles] == [0, 0, 8, 250, 500, 999, 1000, 1000, 0, 1000]


def test_settings_of_the_detector_are_those_of_the_file(protocols):
    protocol = load(protocols / "wrist_extension_cued.yaml").protocol
    settings = attempt_settings(protocol.attempt, protocol.puck)
    assert (settings.lowpass_hz, settings.floor_dps, settings.ceiling_dps) == (6.0, 5.0, 60.0)
    assert (settings.fraction_of_attempt, settings.rest_multiple, settings.hysteresis) == (0.3, 4.0, 0.5)
    assert (settings.dwell_ns, settings.quiet_before_ns, settings.blanking_ns) == (50_000_000, 500_000_000, 10**9)
    assert settings.min_rate_hz == 50.0


@pytest.mark.parametrize("name", NAMES)
def test_the_diagram_is_made_from_the_table(protocols, name):
    resolved = resolve(load(protocols / f"{name}.yaml"), {})
    text = mermaid(resolved)
    assert text.startswith("stateDiagram-v2\n")
    for phase in resolved.phases:
        assert f"    {phase.name} --> stopped : STOP" in text
        for way in phase.ways:
            assert f"    {phase.name} --> {way.to} : {way.text}" in text


def _leaves(value):
    if isinstance(value, dict):
        for inner in value.values():
            yield from _leaves(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _leaves(inner)
    else:
        yield value
