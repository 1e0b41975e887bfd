"""Closeread's optional sidecar: chat platforms, a local gateway, and a queue that loses nothing.

A process of its own, off by default, and the only one of Closeread that opens a socket. It imports nothing of `closeread`
and is imported by nothing of it: it asks by starting `python -I -m closeread ...`, as anybody would.

What somebody asks for goes one way; each stage commits before it answers the one before it:

    platform | gateway --Message--> policy --> routes --> queue --> dispatcher --> handler
                                                            |
    platform | gateway | collector  <---- delivery <--------+          every step writes an audit line
                                                                       in the transaction that takes it

    message.py        what is said, whoever's protocol it came by
    settings.py       the user's own `sidecar.yaml`, and where its files are; never a workspace's
    configuration.py  YAML to models, with one clear message, file and line
    policy.py         who may ask, and how often: allow-lists, pairing, rates
    redaction.py      what must not leave: secrets, and code without an opt-in
    dialects.py       plain Markdown in the dialects of platforms
    routes.py         which words go to which handler; reloaded while running
    queue/            entries in lanes: SQLite is the truth, Redis Streams a copy that may be lost at any time
    audit.py          the hash-chained log, in the queue's own transactions
    inbox.py          the one way in: policy, route, commit
    dispatcher.py     leases tasks and answers, in order, and settles each with its outcome
    handlers/         what can be asked for, one module each; the folder is the registry
    findings.py       what `closeread` reports, in words for chat
    progress.py       who wants to know how a task goes on
    tasks.py          what becomes of a task, and what may leave of it
    runner.py         runs a handler's process within limits; confined.py is that process's own end
    gateway/          a WebSocket on loopback, for programs of this machine
    platforms/        one module a chat platform; the folder is the registry
    sync.py           results and audit lines to the user's collector, in order
    service.py        the process: what starts, in which order, and how it ends
    doctor.py         what is open, and whether it drifted
    commands.py       `closeread sidecar | queue | audit | doctor`
    platform_.py      where operating systems differ: files, locks, processes, confinement

Promises, each with tests that try to break it: what was accepted is answered though every process be killed at any time; an
entry is settled once; order is kept in a lane; every default is closed. What is *not* promised: a chat platform that cannot
recognise a repeated message may show an answer twice after a `kill -9` between sending and noting it.
"""
