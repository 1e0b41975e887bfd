"""JUnit's XML as its published schema has it (Jenkins's junit-10.xsd): elements, attributes, what may stand in what.

The schema is small; it is written out here so that no validator has to be installed. Stricter where Jenkins is lax: the
counts of a suite must be those of its cases.
"""

from __future__ import annotations

import re
from xml.etree import ElementTree as xml

_NUMBER = r"\d+"
_DECIMAL = r"\d+(\.\d+)?"
_ANY = r"(?s).*"
_MESSAGE = {"message": _ANY, "type": _ANY}

ELEMENTS: dict[str, tuple[dict[str, str], dict[str, str], set[str]]] = {
    # element: required attributes, optional ones, children
    "testsuites": (
        {},
        {"name": _ANY, "time": _DECIMAL, "tests": _NUMBER, "failures": _NUMBER, "disabled": _NUMBER, "errors": _NUMBER},
        {"testsuite"},
    ),
    "testsuite": (
        {"name": _ANY, "tests": _NUMBER},
        {
            "failures": _NUMBER,
            "errors": _NUMBER,
            "skipped": _NUMBER,
            "disabled": _NUMBER,
            "time": _DECIMAL,
            "timestamp": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d",
            "hostname": _ANY,
            "id": _ANY,
            "package": _ANY,
        },
        {"properties", "testcase", "system-out", "system-err"},
    ),
    "testcase": (
        {"name": _ANY, "classname": _ANY},
        {"time": _DECIMAL, "assertions": _NUMBER, "status": _ANY, "class": _ANY, "file": _ANY, "line": _NUMBER},
        {"skipped", "error", "failure", "system-out", "system-err"},
    ),
    "skipped": ({}, _MESSAGE, set()),
    "error": ({}, _MESSAGE, set()),
    "failure": ({}, _MESSAGE, set()),
}


def validate(data: bytes) -> xml.Element:
    """The root of a valid document. Raises AssertionError that says what is wrong, and ParseError."""
    root = xml.fromstring(data.decode())
    assert root.tag in ("testsuites", "testsuite")
    _check(root)
    for suite in root.iter("testsuite"):
        cases = list(suite.iter("testcase"))
        for name, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            assert sum(case.find(tag) is not None for case in cases) == int(suite.get(name, "0")), name
        assert len(cases) == int(suite.get("tests", "0"))
    return root


def _check(element: xml.Element) -> None:
    required, optional, children = ELEMENTS[element.tag]
    attributes = required | optional
    assert required.keys() <= element.attrib.keys(), (element.tag, element.attrib)
    for name, value in element.attrib.items():
        assert name in attributes and re.fullmatch(attributes[name], value), (element.tag, name, value)
    for child in element:
        assert child.tag in children, (element.tag, child.tag)
        _check(child)
