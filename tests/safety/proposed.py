"""The proposed caps of regions and joints, written down a second time: from the proposal, not from the code."""

# mA, us, uC, s
PROPOSED = {
    "hand": (25, 300, 7.5, 10),
    "forearm": (45, 350, 14, 12),
    "upper_arm": (60, 400, 20, 15),
    "lower_leg": (70, 400, 25, 10),
    "thigh": (100, 450, 40, 15),
}
# deg/s, Nm, deg, deg, s, movements in 10 min
PROPOSED_JOINTS = {
    "finger": (45, 0.14, -120, 120, 8, 40),
    "wrist": (45, 1.5, -60, 60, 10, 1200),
    "elbow": (60, 5, -135, -5, 10, 1200),
    "ankle": (40, 5, -15, 20, 6, 1200),
}
