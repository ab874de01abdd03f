"""`stimloop authorise`: a new authorisation file to fill in (`new`), and what is wrong with one (`check`).

Nothing here starts current or permits anything by itself: the gateway reads the file at its own start.
"""

import argparse
import os
import sys
from datetime import date, timedelta
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    what = parser.add_subparsers(dest="what", required=True, metavar="new|check")
    new = what.add_parser("new", help="write a file for the first stage; one that is there is never changed")
    new.add_argument("file", type=Path, metavar="FILE")
    for name, about in (
        ("site", "where it holds"),
        ("unit", "what the unit calls itself (the check list shows it)"),
        ("operator", "who works with it"),
        ("approver", "who answers for it"),
    ):
        new.add_argument(f"--{name}", default=f"({about})", help=about)
    new.add_argument("--days", type=int, default=90, metavar="N", help="until it expires (%(default)s)")
    check = what.add_parser("check", help="say what a file permits to whom, or what is wrong with it")
    check.add_argument("file", type=Path, nargs="?", metavar="FILE", help="default: where the gateway looks")


def run(options: argparse.Namespace) -> int:
    """0: written, or valid. 1: not valid. 2: no such file, or it cannot be written."""
    from controller.clock import wall_day

    today = date.fromisoformat(wall_day()[0])
    return _new(options, today) if options.what == "new" else _check(options.file, today)


def _new(options: argparse.Namespace, today: date) -> int:
    from controller.gateway.authorisation import LASTS_DAYS_MAX, template

    if not 1 <= options.days <= LASTS_DAYS_MAX:
        print(f"stimloop authorise: --days takes 1 to {LASTS_DAYS_MAX}", file=sys.stderr)
        return 2
    named = (options.site, options.unit, options.operator, options.approver)
    text = template(*named, today, today + timedelta(days=options.days))
    try:
        options.file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(options.file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        print(f"stimloop authorise: {options.file} exists already. Change it in an editor.", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"stimloop authorise: {options.file} cannot be written: {error.strerror}", file=sys.stderr)
        return 2
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    print(f"{options.file} is written. Fill it in, then: stimloop authorise check {options.file}")
    return 0


def _check(path: Path | None, today: date) -> int:
    from controller.gateway.authorisation import default_path, read

    book = read(path or default_path(), today)
    if book.missing:
        print(f"There is no file {book.path}: only simulated devices can be armed.", file=sys.stderr)
        return 2
    if book.fault:
        print(book.fault, file=sys.stderr)
        return 1
    print(f"{book.path}: valid, {book.site}, sha256 {book.sha256}")
    for entry in book.entries:
        left = "EXPIRED" if entry.expires < today else f"until {entry.expires}"
        print(f"  {entry.unit}  {entry.operator}  {entry.stage}  {left}  approved by {entry.approver}")
    return 0
