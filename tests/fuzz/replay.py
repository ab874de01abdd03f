"""`python -m tests.fuzz.replay CODEC HEX`: one input again, with the traceback."""

import sys

from tests.fuzz.codecs import CODECS

if __name__ == "__main__":
    CODECS[sys.argv[1]](bytes.fromhex(sys.argv[2]))
    print("nothing broke")
