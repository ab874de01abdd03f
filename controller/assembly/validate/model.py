"""The typed model of a scenario file. The text of each key is what `docs/scenarios.md` says of it."""

import re
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from controller.assembly.validate import words
from controller.assembly.validate.deed_model import (
    Attempt,
    Burst,
    Carry,
    Drift,
    Gain,
    Knock,
    Load,
    Part,
    Recruitment,
    Sine,
    Stroke,
    Torque,
    Wear,
)
from controller.assembly.validate.words import Words, fault
from controller.session.faults import shorten, suggest
from sim.faults import FaultRefused, parse
from sim.phenotypes import PHENOTYPES

_ID = re.compile(r"[A-Z][A-Z0-9-]{1,23}")
PRESSES = ("stop", "pause", "resume", "end", "hold", "let go", "button", "disarm")


def _one_of(choices: tuple[str, ...], what: str) -> BeforeValidator:
    def validate(value: object) -> object:
        if value not in choices:
            raise fault(f'"{shorten(str(value))}" is no {what}', suggest(str(value), choices))
        return value

    return BeforeValidator(validate)


def _identity(value: object) -> object:
    if not isinstance(value, str) or not _ID.fullmatch(value):
        raise fault(f'"{shorten(str(value))}" is no id', "capitals, digits and dashes, such as S41 or REQ-STOP-1")
    return value


def _fault_spec(value: object) -> object:
    try:
        parse(str(value))
    except FaultRefused as refused:
        raise fault(shorten(str(refused), 160), "docs/faults.md says how a fault is written") from None
    return value


Id = Annotated[str, BeforeValidator(_identity)]


class World(Part):
    """What stands on the table."""

    unit: Words = Field(default="p24", description="kind of stimulator")
    puck: Words = Field(
        default="ximu3", description="kind of puck; `fitmi` has a second one, which is worn on the forearm"
    )
    orthosis: Words = Field(default="", description="kind of powered orthosis; none unless the protocol moves one")
    rate: words.Frequency = Field(default=100.0, description="frames a second of the puck")
    full_scale: words.Speed = Field(default=0.0, description="where the puck's gyroscope clips; nothing said: nowhere")
    turned: words.Angle = Field(default=0.0, description="the puck was strapped on turned by so much about its z axis")
    load_while_stimulated: words.Force = Field(default=0.0, description="what the load cell shows while current flows")


class Patient(Part):
    """Who sits at the table."""

    phenotype: Annotated[str, _one_of(tuple(PHENOTYPES), "phenotype")] = Field(
        default="moderate", description="one of the simulated persons"
    )
    answers_cues: words.Switch = Field(
        default=False, description="attempts by themselves when cued, as the phenotype does"
    )
    self_paced: words.Switch = Field(default=False, description="attempts of their own accord, as the phenotype does")
    splint: words.Stiffness = Field(default=0.0, description="stiffness of a splint on the joint; nothing said: none")
    splint_angle: words.Angle = Field(default=10.0, description="where that splint holds the joint")
    tires: words.Switch = Field(default=False, description="the stimulated muscle tires (Ding 2003)")
    rests_at: words.Angle | None = Field(default=None, description="an arm rest carries the hand at this angle")


class SetUp(Part):
    """How the scripted therapist sets up, and what they do by themselves afterwards."""

    rest: words.Time = Field(default=1.0, description="how long calibration records the limb at rest")
    attempts: words.Whole = Field(default=0, description="attempts that calibration asks for, 3 or more; 0: rest alone")
    attempt_torque: words.Torque = Field(default=0.35, description="torque of those attempts")
    tolerance: words.Current = Field(default=18.0, description="the current up to which the patient agrees")
    limit: words.Time = Field(default=120.0, description="training that has not begun by then will not")
    resumes: words.Switch = Field(default=False, description="the therapist resumes after every pause")
    acknowledges: words.Switch = Field(default=False, description="the therapist acknowledges a trip and goes on")


class Step(Part):
    """One step of the script: one of `at` and `when`, and one thing that is done."""

    at: words.Time | None = Field(default=None, description="so long after training began")
    when: words.When | None = Field(default=None, description="each time that this happens")
    before: words.Switch = Field(default=False, description="in set-up too, not only once training has begun")
    number: words.Times = Field(default=1, description="with `when`: the first time that counts")
    times: words.Times = Field(default=1, description="how often it is done: a number, or always")
    every: words.Time | None = Field(default=None, description="with `at`: again so much later, `times` times")
    wait: words.Time | None = Field(default=None, description="so long after that")
    name: Words = Field(default="", description="what checks call it by")
    attempt: Attempt | None = Field(default=None, description="the person tries")
    sine: Sine | None = Field(default=None, description="the limb goes to and fro")
    burst: Burst | None = Field(default=None, description="a jerk of the limb")
    stroke: Stroke | None = Field(default=None, description="somebody moves the limb")
    drift: Drift | None = Field(default=None, description="the limb sags")
    torque: Torque | None = Field(default=None, description="extra torque at the joint")
    knock: Knock | None = Field(default=None, description="a blow that the puck feels")
    carry: Carry | None = Field(default=None, description="the whole arm is carried")
    gain: Gain | None = Field(default=None, description="the gyroscope's zero and gain are off")
    recruitment: Recruitment | None = Field(default=None, description="the pads lift or dry")
    press: Annotated[str, _one_of(PRESSES, "key")] | None = Field(
        default=None, description="a key: " + ", ".join(PRESSES)
    )
    load: Load | None = Field(default=None, description="a hand presses the load cell")
    wear: Wear | None = Field(default=None, description="a splint is put on")
    fault: Annotated[str, BeforeValidator(_fault_spec)] | None = Field(
        default=None, description="a fault of docs/faults.md"
    )
    clear: Words | None = Field(default=None, description="the faults of that name end")
    rate: words.Frequency | None = Field(default=None, description="the puck sends so many frames a second from now on")

    @model_validator(mode="after")
    def _whole(self) -> "Step":
        if (self.at is None) == (self.when is None):
            raise fault("a step has one of at and when", "write `at: 5 s`, or `when: cue`")
        if len(self.done()) != 1:
            raise fault("a step does one thing", f"one of: {', '.join(DEEDS)}")
        if self.every is not None and self.at is None:
            raise fault("every goes with at", "write `at: 1 s, every: 3 s, times: 10`")
        return self

    def done(self) -> list[str]:
        """The keys of what is done."""
        return [deed for deed in DEEDS if getattr(self, deed) is not None]


DEEDS = tuple(name for name in Step.model_fields if name not in (
    "at", "when", "before", "number", "times", "every", "wait", "name",
))  # fmt: skip


class Check(Part):
    """One thing that must be so. It looks at the whole of training, or at the time that its other keys name."""

    after: Words = Field(default="", description="only from the step of this name on (the first time that it was done)")
    before: Words = Field(default="", description="only up to the step of this name")
    within: words.Time | None = Field(default=None, description="only so long")
    count: words.Counts | None = Field(
        default=None, description="with record, gateway, phase: how often; else at least once"
    )
    holding: Words = Field(default="", description="with record: only those whose data hold this text")
    triggers: words.Counts | None = Field(default=None, description="attempts that the detector saw")
    false_triggers: words.Counts | None = Field(
        default=None, description="of these, those while the person did not try"
    )
    trains: words.Counts | None = Field(default=None, description="trains of current at the skin that began")
    pulses: words.Counts | None = Field(default=None, description="pulses at the skin")
    repetitions: words.Counts | None = Field(default=None, description="repetitions that were completed")
    missed: words.Counts | None = Field(default=None, description="trials that were missed")
    latency: words.TimeRange | None = Field(default=None, description="from the person's onset to the trigger, each")
    last_pulse: words.TimeRange | None = Field(default=None, description="with after: from that step to the last pulse")
    pause: words.TimeRange | None = Field(default=None, description="from the end of a train to the next one, each")
    train_length: words.TimeRange | None = Field(default=None, description="length of each train")
    duty: words.ShareRange | None = Field(default=None, description="part of the time in which current flows")
    current: words.CurrentRange | None = Field(default=None, description="the most current at the skin")
    first_current: words.CurrentRange | None = Field(default=None, description="the current of the first pulse")
    limb_speed: words.SpeedRange | None = Field(default=None, description="the limb's peak speed, either way")
    limb_turn: words.AngleRange | None = Field(default=None, description="how far the limb moved in all")
    force_left: words.ShareRange | None = Field(
        default=None, description="force of the tired muscle, at the end of that time"
    )
    state: Annotated[str, _one_of(words.STATES, "state")] | None = Field(
        default=None, description="the session is in that state at some time"
    )
    ends: Annotated[str, _one_of(words.STATES, "state")] | None = Field(
        default=None, description="the session is in that state at the end of that time"
    )
    never: Annotated[str, _one_of(words.STATES, "state")] | None = Field(
        default=None, description="the session is never in that state"
    )
    phase: Words | None = Field(default=None, description="the phase of that name is entered")
    record: Words | None = Field(default=None, description="a line of that kind stands in the session's record")
    gateway: Words | None = Field(default=None, description="a line of that kind stands in the gateway's log")
    screen: Words | None = Field(default=None, description="the screen says these words")
    refused: Words | None = Field(
        default=None, description="the protocol is refused; the fault's text holds these words"
    )

    @model_validator(mode="after")
    def _whole(self) -> "Check":
        if len(self.looks_at()) != 1:
            raise fault("a check looks at one thing", f"one of: {', '.join(SUBJECTS)}")
        if self.last_pulse is not None and not self.after:
            raise fault("last_pulse is counted from a step", "add `after: NAME` with the name of that step")
        return self

    def looks_at(self) -> list[str]:
        """The keys of what is looked at."""
        return [subject for subject in SUBJECTS if getattr(self, subject) is not None]

    @property
    def subject(self) -> str:
        """What is looked at."""
        return self.looks_at()[0]


SUBJECTS = tuple(name for name in Check.model_fields if name not in ("after", "before", "within", "count", "holding"))


class Variant(Part):
    """The scenario again with something changed: what stands here replaces what the scenario says."""

    world: World | None = Field(default=None, description="replaces the scenario's")
    patient: Patient | None = Field(default=None, description="replaces the scenario's")
    set_up: SetUp | None = Field(default=None, description="replaces the scenario's")
    change: dict[str, Any] | None = Field(default=None, description="replaces the scenario's")
    script: list[Step] | None = Field(default=None, description="replaces the scenario's")
    expect: list[Check] | None = Field(default=None, description="replaces the scenario's")
    length: words.Time | None = Field(default=None, description="replaces the scenario's")
    protocol: Words | None = Field(default=None, description="replaces the scenario's")


class Scenario(Part):
    """A whole scenario file."""

    stimloop_scenario: Literal["1"] = Field(description="version of this grammar: 1")
    id: Id = Field(description="a short name in capitals, such as S41")
    name: Words = Field(description="in a few words")
    given: Words = Field(description="what is given, for people")
    expected: Words = Field(description="what is expected, for people")
    remark: Words = Field(default="", description="what people should know of it")
    requirements: list[Id] = Field(description="ids of safety/requirements.yaml")
    hazards: list[Id] = Field(description="ids of safety/hazards.yaml")
    waits_for: Words = Field(default="", description="what has to be built first: the scenario is listed as not yet")
    seed: words.Whole = Field(default=1, description="patient, noise and faults follow from it")
    length: words.Time = Field(default=30.0, description="how long training is watched")
    protocol: Words = Field(default="wrist_extension_cued", description="a shipped protocol, or a file beside this one")
    change: dict[str, Any] = Field(
        default_factory=dict,
        description="changes to the protocol: dotted key, then the value as the protocol writes it",
    )
    world: World = Field(default=World(), description="what stands on the table")
    patient: Patient = Field(default=Patient(), description="who sits at the table")
    set_up: SetUp = Field(default=SetUp(), description="how the therapist sets up")
    script: list[Step] = Field(default_factory=list, description="what happens")
    expect: list[Check] = Field(default_factory=list, description="what must be so")
    variants: dict[str, Variant] = Field(
        default_factory=dict, description="the scenario several times over, each with something changed"
    )

    @model_validator(mode="after")
    def _whole(self) -> "Scenario":
        if self.waits_for:
            return self
        for name, each in self.cases().items():
            if not each.expect:
                raise fault(
                    f"nothing is expected{f' of {name}' if name else ''}", "add `expect:` with a list of checks"
                )
            known = [step.name for step in each.script if step.name]
            for label in [label for check in each.expect for label in (check.after, check.before) if label]:
                if label not in known:
                    raise fault(
                        f'a check speaks of "{shorten(label)}", and no step has that name', suggest(label, known)
                    )
        return self

    def cases(self) -> dict[str, "Scenario"]:
        """The scenario itself (""), or each of its variants."""
        if not self.variants:
            return {"": self}
        found = {}
        for name, variant in self.variants.items():
            given = {key: getattr(variant, key) for key in Variant.model_fields if getattr(variant, key) is not None}
            found[name] = self.model_copy(update={"variants": {}, **given})
        return found


class Requirement(Part):
    """One requirement: a sentence, the hazards it answers, and tests beside the scenarios that name it."""

    sentence: Words = Field(description="what the product has to do")
    hazards: list[Id] = Field(default_factory=list, description="ids of safety/hazards.yaml")
    tests: list[Words] = Field(default_factory=list, description="tests that prove it beside the scenarios")
