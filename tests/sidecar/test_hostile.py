"""Whatever strangers send: each platform's reader gives a message or None, and nothing else."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from closeread_sidecar.dialects import as_html
from closeread_sidecar.message import Message
from closeread_sidecar.platforms import matrix, pieces, telegram, wecom_robot
from closeread_sidecar.redaction import Redaction

WORDS = (
    *(
        "message",
        "edited_message",
        "update_id",
        "message_id",
        "from",
        "id",
        "chat",
        "type",
        "text",
        "caption",
        "photo",
        "document",
    ),
    *(
        "file_id",
        "headers",
        "req_id",
        "body",
        "msgid",
        "msgtype",
        "mixed",
        "msg_item",
        "content",
        "userid",
        "chatid",
        "chattype",
    ),
    *(
        "sender",
        "event_id",
        "msgtype",
        "m.relates_to",
        "m.new_content",
        "rel_type",
        "url",
        "info",
        "size",
        "filename",
        "is_topic_message",
    ),
)
VALUES = st.sampled_from(
    ["m.room.message", "m.text", "m.file", "m.replace", "text", "image", "mixed", "group", "private", "/x@y z"]
)
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | VALUES
THINGS = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(WORDS), inner, max_size=8),
    max_leaves=30,
)
OBJECTS = st.dictionaries(st.sampled_from(WORDS), THINGS, max_size=10)


@settings(max_examples=300, deadline=None)
@given(OBJECTS)
def test_readers(thing: dict[str, Any]) -> None:
    for found in (telegram.read(thing), wecom_robot.read(thing, "s"), matrix.read("!r", thing)):
        if found is not None:
            assert Message.from_json(json.loads(json.dumps(found.as_json()))).key == found.key


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet=st.sampled_from("<>&\"'*`\n a/b"), max_size=200))
def test_no_markup_but_ours(text: str) -> None:
    bare = as_html(text)
    for tag in ("b", "code", "pre"):
        assert bare.count(f"<{tag}>") == bare.count(f"</{tag}>")
        bare = bare.replace(f"<{tag}>", "").replace(f"</{tag}>", "")

    assert "<" not in bare


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=300), st.integers(1, 50))
def test_pieces_lose_nothing_but_line_ends_where_they_are_cut(text: str, most: int) -> None:
    found = pieces(text, most)

    assert all(len(piece) <= most for piece in found)
    assert "".join(found).replace("\n", "") == text.replace("\n", "")


@pytest.mark.parametrize(
    "secret",
    [
        "AKIAABCDEFGHIJKLMNOP",
        "ghp_" + "a1" * 18,
        "glpat-" + "x" * 20,
        "xoxb-123456789012-abcdef",
        "123456789:" + "A" * 35,
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln",
        "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----",
        "own-secret",
    ],
)
def test_secrets_are_redacted_wherever_they_stand(secret: str) -> None:
    shown = Redaction(["own-secret"]).text(f"found `{secret}` at a.py:3", code=True)

    assert "found `[redacted]` at a.py:3" == shown
