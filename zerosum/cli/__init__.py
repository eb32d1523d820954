"""The command line: one command a file, found by looking at the files, so that adding one touches no other.

A command is a module here with `PLACE` (where it stands in the help), `USAGE` (its lines there) and `main(words) -> int`,
which gets the words behind its name and returns the exit code. Files whose names begin with an underscore are helpers.
"""

from __future__ import annotations

import importlib
import os
import pkgutil
import sys
import traceback
from typing import Any, NoReturn

from zerosum.cli._common import console, errors
from zerosum.errors import UserError, suggest

HEAD = "zerosum: generative adversarial networks on your own data\n"
TAIL = "`zerosum COMMAND --help` explains every option; `--debug` shows the whole traceback of an error."


def names() -> list[str]:
    """The commands there are, in the help's order."""
    found = [module.name for module in pkgutil.iter_modules(__path__) if not module.name.startswith("_")]
    return sorted(found, key=lambda name: _module(name).PLACE)


def _module(name: str) -> Any:
    return importlib.import_module(f"{__name__}.{name}")


def _usage() -> str:
    lines = [line for name in names() for line in _module(name).USAGE.strip("\n").split("\n")]
    return "\n".join([HEAD, *[f"  {line}" for line in lines], "", TAIL])


def main(argv: list[str] | None = None) -> None:
    """Run one command. Exits with 0, 2 (the user can mend it), 130 (stopped by Ctrl-C) or 1 (a fault of zerosum)."""
    words = [*(sys.argv[1:] if argv is None else argv)]  # `list` is a command here
    debug = "--debug" in words
    words = [word for word in words if word != "--debug"]
    if not words or words[0] in ("-h", "--help", "help"):
        console.print(_usage(), highlight=False, soft_wrap=True)
        sys.exit(0 if words else 2)
    if words[0] == "--version":
        from zerosum import __version__

        console.print(f"zerosum {__version__}", highlight=False)
        sys.exit(0)
    try:
        if words[0] not in (known := names()):
            raise UserError(f"no command {words[0]}: {suggest(words[0], known)}")
        _end(_module(words[0]).main(words[1:]))
    except UserError as error:
        _fail(str(error), 2, debug)
    except KeyboardInterrupt:
        _fail("stopped", 130, debug)
    except Exception as error:
        _fail(f"{type(error).__name__}: {error}: a fault of zerosum; --debug shows where, please report it", 1, debug)


def _fail(message: str, code: int, debug: bool) -> NoReturn:
    """Say what is wrong in a line, under the whole traceback where that was asked for."""
    if debug:
        traceback.print_exc()
    errors.print(" ".join(f"zerosum: {message}".splitlines()), style="bold", highlight=False, soft_wrap=True, markup=False)
    _end(code)


def _end(code: int) -> NoReturn:
    """Exit. One process of several leaves at once: gloo's threads can abort the interpreter while it tidies up."""
    if "RANK" in os.environ:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code)
