"""`stimloop stop`: STOP to every gateway of this user. Standard library only, so that it is fast."""

import argparse

from controller.channel.stopline import press_stop, runtime_folder


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.add_argument("--json", action="store_true", help="one object on stdout")


def run(options: argparse.Namespace) -> int:
    """0: every gateway confirmed, or none runs. 1: one was reached and did not confirm."""
    confirmed, silent = press_stop(runtime_folder())
    if options.json:
        import json

        print(json.dumps({"confirmed": confirmed, "silent": silent}))
    elif silent:
        print(f"{silent} gateway(s) did not answer: PULL THE LEADS. ({confirmed} confirmed)")
    elif confirmed:
        print(f"Stopped: {confirmed} gateway(s) confirmed.")
    else:
        print("No session is running on this machine for this user.")
    return 1 if silent else 0
