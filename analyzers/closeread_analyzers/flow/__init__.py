"""The data-flow engine: an abstract interpreter over the neutral IR.

What is known
    values.py         what a variable may hold: taints, a constant, an access path, a container's shape
    scopes.py         one file, indexed by its definitions
    summaries.py      what a function does to its arguments, in symbols, and how that applies to a call
One run over one body
    frame.py          state, statements, branches, joins
    expressions.py    what each expression evaluates to, what assignment does
    tests.py          conditions: constants decide, guards clear
    calls.py          calls: library models, workspace functions, callbacks
    callbacks.py      functions handed to a call that calls them
    containers.py     lists, dicts and objects: known keys and positions are told apart
    fields.py         what a form or a schema lets through, by the names of its fields
    folding.py        constants: operators and the pure methods of text
    reflection.py     getattr, setattr, dict(), partial
    rendering.py      a template called with what a view hands it
    kept.py           what outlives a call: objects' fields and modules' stores
    variants.py       functions as decorators wrap them, and as subclasses inherit them
    own.py            what the user's own models say of the workspace's own functions
    syntax.py         what the IR says without being interpreted: names bound, statements inside
The whole project
    memory.py         what is remembered, when it holds, and how circles end
    aging.py          what code says by itself, for as long as somebody asks
    touched.py        which places an answer speaks of
    names.py          what a name means, across files
    classes.py        inheritance, members, constructors
    handlers.py       functions that frameworks call
    engine.py         functions and module bodies interpreted on demand
    summarising.py    from an interpreted function to its summary
Facts about routes, for rules to ask
    inventory.py views.py routes.py authentication.py bodies.py reach.py neighbours.py
Why a line was or was not reported, and which library calls nothing describes
    watch.py lines.py unknown.py

It knows no language, no library and no kind of taint: languages lower to the IR, library models are
data, rules join kinds. Deliberately absent: paths (states are joined), numbers' ranges, and aliasing between arguments.
"""
