"""The kept corpus: the inputs that reach every branch the fuzzer has found, one line of hex each, one file a codec."""

from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent / "data" / "corpus"
LINES_MAX = 400


def load(codec: str) -> list[bytes]:
    """The kept inputs of a codec; none where there is no file yet."""
    path = FOLDER / f"{codec}.hex"
    if not path.exists():
        return []
    return [bytes.fromhex(line) for line in path.read_text(encoding="ascii").split("\n") if line]


def save(codec: str, inputs: list[bytes]) -> Path:
    """Keep these, the short ones first."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    kept = sorted(set(inputs), key=lambda data: (len(data), data))[:LINES_MAX]
    path = FOLDER / f"{codec}.hex"
    path.write_text("".join(f"{data.hex()}\n" for data in kept if data), encoding="ascii")
    return path
