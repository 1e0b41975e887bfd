"""The data-flow engine: an abstract interpreter over the neutral IR.

    values.py       what a variable may hold: taints, a constant, an access path, a container's shape
    folding.py      constants: operators and the pure methods of text
    scopes.py       names: what a name in a file means, across imports; classes and their methods
    frame.py        one run over one function: state, statements, branches, joins
    expressions.py  what each expression evaluates to
    tests.py        what is known on each side of a branch: constants decide, guards clear
    calls.py        calls: library models, workspace functions, containers, callbacks
    containers.py   lists, dicts and objects: known keys and positions are told apart
    summaries.py    what a function does to its arguments, in symbols
    engine.py       summaries on demand, cycles, memory of what was computed and on what it rests

It knows no language, no library and no kind of taint: languages lower to the IR, library models are
data, rules join kinds. Deliberately absent: paths (states are joined), numbers' ranges, aliasing
between arguments, and dispatch to overriding methods of unknown subclasses.
"""
