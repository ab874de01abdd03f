"""Persons to draw from: how strongly and how soon they attempt, how stiff the wrist is, how well the muscle answers.

Engineering presets around those of `sim.effort`, `sim.wrist` and `sim.muscle`, to make worlds differ; not physiology.
"""

from typing import NamedTuple

from sim.effort import MODERATE, EffortPreset
from sim.imu import CONSUMER, SensorPreset
from sim.muscle import WRIST_EXTENSORS, MusclePreset
from sim.wrist import PALM_DOWN, WristPreset


class Phenotype(NamedTuple):
    """One kind of person."""

    effort: EffortPreset = MODERATE
    joint: WristPreset = PALM_DOWN
    muscle: MusclePreset = WRIST_EXTENSORS
    sensor: SensorPreset = CONSUMER


PHENOTYPES: dict[str, Phenotype] = {
    "moderate": Phenotype(),
    "strong": Phenotype(effort=MODERATE._replace(torque_nm=(0.3, 0.6), reaction_s=0.5, missed=0.02, weak=0.02)),
    "weak": Phenotype(effort=MODERATE._replace(torque_nm=(0.09, 0.2), weak=0.25, missed=0.1)),
    "slow": Phenotype(effort=MODERATE._replace(reaction_s=1.6, release_s=1.2, rise_s=(1.4, 1.8))),
    "stiff": Phenotype(joint=PALM_DOWN._replace(stiffness=0.9, damping=0.05), effort=MODERATE._replace(release_s=1.0)),
    "numb": Phenotype(muscle=WRIST_EXTENSORS._replace(q50_uc=5.0, torque_max_nm=1.0)),
}
