"""What a step of a scenario can do, as the file writes it: attempts, disturbances, pads, splints."""

from pydantic import BaseModel, ConfigDict, Field

from controller.assembly.validate import words


class Part(BaseModel):
    """A mapping of the file: unknown keys are faults."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Attempt(Part):
    """The person tries: a minimum-jerk rise of torque, a hold, a fall."""

    torque: words.Torque = Field(description="torque at its top; below 0 it flexes")
    rise: words.Time = Field(default=1.2, description="how long it rises")
    hold: words.Time = Field(default=1.0, description="how long it is held")
    fall: words.Time = Field(default=1.0, description="how long letting go takes")


class Sine(Part):
    """The limb goes to and fro: tremor, clonus."""

    amplitude: words.Angle = Field(description="how far to either side")
    frequency: words.Frequency = Field(description="how often a second")
    length: words.Time = Field(description="how long")


class Burst(Part):
    """A jerk of the limb: half a sine of speed."""

    speed: words.Speed = Field(description="the peak; below 0 it flexes")
    length: words.Time = Field(description="how long the way there takes")
    back: words.Time | None = Field(
        default=None, description="how long the same way back takes; nothing said: it stays"
    )


class Stroke(Part):
    """Somebody moves the limb, holds it there, and takes it back."""

    turn: words.Angle = Field(description="how far; below 0 into flexion")
    speed: words.Speed = Field(description="the peak")
    hold: words.Time = Field(default=0.5, description="how long it is held there")
    back: words.Switch = Field(default=True, description="it is taken back")


class Drift(Part):
    """The limb sags at a constant speed, and stays where it came to."""

    speed: words.Speed = Field(description="which way and how fast")
    length: words.Time = Field(description="how long")


class Torque(Part):
    """Extra torque at the joint, which the wrist answers as it can."""

    torque: words.Torque = Field(description="at its top; below 0 it flexes")
    rise: words.Time = Field(default=0.3, description="how long it rises")
    hold: words.Time = Field(default=1.0, description="how long it is held")
    fall: words.Time = Field(default=0.3, description="how long it falls")
    frequency: words.Frequency | None = Field(default=None, description="it beats to and fro so often a second")


class Knock(Part):
    """A blow, felt by the puck alone."""

    peak: words.Acceleration = Field(description="acceleration at its top")
    length: words.Time = Field(description="how long")


class Carry(Part):
    """The whole arm is carried; the joint does not move."""

    speed: words.Speed = Field(description="peak rate at which the arm turns")
    acceleration: words.Acceleration = Field(description="peak acceleration")
    length: words.Time = Field(description="how long")


class Gain(Part):
    """The gyroscope's zero and gain are off from now on."""

    bias: words.Speed = Field(default=0.0, description="added to the rate about the joint's axis")
    gain: words.Share = Field(default=1.0, description="of the true rate")
    length: words.Time | None = Field(default=None, description="how long; nothing said: for good")


class Recruitment(Part):
    """The pads lift or dry: more charge is needed for the same force."""

    by: words.Share = Field(description="how much more charge")
    over: words.Time = Field(description="how long it takes to come to that")


class Wear(Part):
    """A splint is put on, and the record is told."""

    angle: words.Angle | None = Field(
        default=None, description="the angle that it is set to; nothing said: it has none"
    )


class Load(Part):
    """A hand presses the load cell."""

    force: words.Force = Field(description="how hard")
    length: words.Time = Field(description="how long")
