"""`python -m tests.fuzz.run [CODEC...] --seconds N`: coverage-guided fuzzing (Atheris), a process for each codec.

It starts from the kept corpus, runs for N seconds a codec, keeps what reached new branches in the corpus, and exits
1 with the input in hex when a property broke, an exception escaped, or an input took over five seconds.
"""

import argparse
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.fuzz import corpus
from tests.fuzz.codecs import CODECS
from tests.fuzz.seeds import seeds

LENGTH_MAX = 2048
SLOW_S = 5


def main() -> int:
    """Fuzz the named codecs, or all, one after another."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.run")
    parser.add_argument("codecs", nargs="*", metavar="CODEC", help=", ".join(CODECS))
    parser.add_argument("--seconds", type=int, default=120)
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    options, engine = parser.parse_known_args()
    if options.inside:
        return _inside(options.codecs[0], engine)
    good = [_fuzz(codec, options.seconds) for codec in options.codecs or CODECS]
    return 0 if all(good) else 1


def _fuzz(codec: str, seconds: int) -> bool:
    kept = corpus.load(codec)
    begin = [*kept, *seeds(codec)]
    with tempfile.TemporaryDirectory(prefix="fuzz-") as name:
        inputs, found = Path(name) / "inputs", Path(name) / "found"
        for folder in (inputs, found):
            folder.mkdir()
        for number, data in enumerate(begin):
            (inputs / str(number)).write_bytes(data)
        limits = [f"-max_len={LENGTH_MAX}", f"-timeout={SLOW_S}", f"-artifact_prefix={found}/", "-verbosity=1"]
        done = _engine(codec, [*limits, f"-max_total_time={seconds}", "-print_final_stats=1", str(inputs)])
        runs = next((line.split()[-1] for line in done.stderr.splitlines() if "number_of_executed_units" in line), "?")
        broken = sorted(found.iterdir())
        if done.returncode != 0 or broken:
            print(f"{codec}: BROKEN after {runs} inputs\n{done.stdout[-2000:]}{done.stderr[-3000:]}")
            for path in broken:
                print(f"  repeat: python -m tests.fuzz.replay {codec} {path.read_bytes().hex()}")
            return False
        reached = [path.read_bytes() for path in inputs.iterdir()]
        corpus.save(codec, reached)
        branches = re.findall(r"cov: (\d+)", done.stderr)
        covered = f"{branches[-1]} branches" if branches else "no coverage told"
        print(f"{codec}: {runs} inputs in {seconds} s, {covered}, nothing broke; corpus {len(kept)} -> {len(reached)}")
        return True


def _engine(codec: str, words: list[str]) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "tests.fuzz.run", codec, "--inside", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def _inside(codec: str, engine: list[str]) -> int:
    import atheris

    with atheris.instrument_imports(include=["controller.wire"]):
        CODECS[codec](b"")  # imports the codec, and with it its branches, under the instrumentation
    atheris.Setup([sys.argv[0], *engine], CODECS[codec])
    atheris.Fuzz()
    return 0


if __name__ == "__main__":
    sys.exit(main())
