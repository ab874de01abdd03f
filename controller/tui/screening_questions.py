"""The questions that block a session, in plain words.

Any yes blocks. The list follows the contraindications in the published instructions of stimulators (RehaStim2 1.3, 3.4
and 3.5; Endomed 484 p. 25) and the FDA's guidance summary; where these differ the stricter one stands. A clinic may
only add to it. Proposed, awaiting clinical sign-off.
"""

QUESTIONS = (
    "Pacemaker, defibrillator or any other active implant?",
    "Pregnant, or possibly pregnant?",
    "Thrombosis or inflamed veins where the electrodes go?",
    "Cancer, now or before, where the electrodes go?",
    "Open wound, rash, infection or swelling under an electrode?",
    "A fracture in this limb that has not healed?",
    "Metal put in under or near the electrodes in the last 3 months?",
    "Would any electrode sit on chest, neck, head, eyes or mouth?",
    "Unable to report pain, and no trained observer present?",
    "HF surgery or short-wave equipment within 1 m?",
)
