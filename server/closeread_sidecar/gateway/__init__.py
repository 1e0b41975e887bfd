"""The gateway: a WebSocket on loopback, for programs of this machine.

    door.py    who is let in: Host, Origin, token; and why not
    server.py  the connections

The protocol is JSON objects, one a message. The token (`closeread sidecar token` prints it) goes into the opening request:
`Authorization: Bearer TOKEN`.

    -> {"type": "ask", "id": "...", "content": "scan shop", "conversation": "..."?}   `id`: once for all time, and the same when asked again
    <- {"type": "accepted", "id", "duplicate": false}        it is on the disk; now it will be answered, whatever happens
    <- {"type": "progress" | "partial", "id", "text"}
    <- {"type": "answer", "id", "text", "files"}
    <- {"type": "error", "id", "code": "busy" | "slow-down" | "unknown" | "failed" | "malformed", "text", "after"?}
    -> {"type": "cancel", "id"}
    <- {"type": "cancelled", "id"} | {"type": "error", "id", "code": "unknown"}

Whoever lost the connection connects again and asks again with the same `id`. `status` without a conversation is answered at once,
with no `accepted`: it has no place in the queue. After a reload of the routes or the token, every connection's token is looked at
anew; those that do not hold any more are closed with 4401.
"""
