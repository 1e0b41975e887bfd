"""JUnit's XML by the schema that Jenkins publishes (`junit-10.xsd` beside this, MIT), and stricter: counts that are true."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from xml.etree import ElementTree as xml

import xmlschema


@cache
def _schema() -> xmlschema.XMLSchema:
    return xmlschema.XMLSchema(str(Path(__file__).with_name("junit-10.xsd")))


def validate(data: bytes) -> xml.Element:
    """The root of a valid document. Raises `XMLSchemaValidationError`, and AssertionError for a count that is wrong."""
    root = xml.fromstring(data.decode())
    _schema().validate(root)
    for suite in root.iter("testsuite"):
        cases = list(suite.iter("testcase"))
        for name, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            assert sum(case.find(tag) is not None for case in cases) == int(suite.get(name, "0")), name
        assert len(cases) == int(suite.get("tests", "0"))
    return root
