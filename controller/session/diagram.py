"""The state diagram of an activity as mermaid text, made from the same table that the machine runs on."""

from controller.session.activity import STOPPED, table
from controller.session.resolve import ResolvedProtocol


def mermaid(protocol: ResolvedProtocol) -> str:
    """`stateDiagram-v2` text: every transition of the table with its condition; STOP drawn from each phase."""
    because = {
        f"leave_{phase.name}_{number}": way.text for phase in protocol.phases for number, way in enumerate(phase.ways)
    }
    lines = ["stateDiagram-v2", f"    [*] --> {STOPPED}"]
    for row in table(protocol):
        words = because.get(row["trigger"], "STOP" if row["trigger"] == "stop" else row["trigger"])
        lines.append(f"    {row['source']} --> {row['dest']} : {words}")
    for phase in protocol.phases:
        if phase.stimulate:
            channels = ", ".join(channel for channel, _ in phase.stimulate)
            lines.append(f"    note right of {phase.name} : current on {channels}")
    return "\n".join(lines) + "\n"
