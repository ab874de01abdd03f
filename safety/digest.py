"""The digest of this folder: SHA-256 over its Python files and its screening list, stored beside them in `DIGEST`.

A program whose `safety/` does not match its digest refuses to arm, and every journal names the digest. After a
change that was meant, `make digest` (`python -m safety.digest --write`) stores the new one.
"""

import hashlib
import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
STORED = "DIGEST"
DATA = "screening.yaml"


def compute(folder: Path = FOLDER) -> str:
    """SHA-256, in hex, over name and content of every `*.py` and of the screening list, in the order of their names."""
    digest = hashlib.sha256()
    for path in sorted([*folder.glob("*.py"), *folder.glob(DATA)]):
        content = path.read_bytes()
        digest.update(f"{path.name} {len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest()


def stored(folder: Path = FOLDER) -> str:
    """The digest that was stored last, "" when none was."""
    path = folder / STORED
    return path.read_text(encoding="ascii").strip() if path.is_file() else ""


def matches(folder: Path = FOLDER) -> bool:
    """Whether the folder is as it was when its digest was stored."""
    return stored(folder) == compute(folder)


def main(arguments: list[str], folder: Path = FOLDER) -> int:
    """`--write` stores the digest; without it, say whether it matches. Exit 0 good, 1 stale, 2 usage."""
    if arguments not in ([], ["--write"]):
        print("usage: python -m safety.digest [--write]", file=sys.stderr)
        return 2
    if arguments:
        (folder / STORED).write_text(compute(folder) + "\n", encoding="ascii")
    good = matches(folder)
    print(f"{compute(folder)} {'matches' if good else 'does not match the stored digest: run make digest'}")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
