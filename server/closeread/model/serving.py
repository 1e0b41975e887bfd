"""A server of models is looked at, by the process that would ask it: which model it gives, and whether that is still so.

Nothing is opened here: `endpoint.py` does, in that process.
"""

from __future__ import annotations

import time

from .address import WrongAddress, parse
from .process import ModelProcess
from .shelf import ModelProblem, Served


def look(address: str, name: str) -> Served:
    """The model `name` of the server at `address`; with "" its only one. Raises `ModelProblem`."""
    try:
        served = Served(name, str(parse(address)), "", time.time_ns())
    except WrongAddress as error:
        raise ModelProblem(str(error)) from None
    facts = _facts(served)
    return Served(facts["name"], served.address, facts["says"], served.chosen)


def verify(served: Served) -> None:
    """Ask the server whether it says the same as when it was chosen. Raises `ModelProblem` where it does not."""
    _facts(served)


def _facts(served: Served) -> dict[str, str]:
    process = ModelProcess(served)
    try:
        process.start()
        return process.facts
    finally:
        process.close()
