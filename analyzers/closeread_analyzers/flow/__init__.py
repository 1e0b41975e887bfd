"""The data-flow engine: an abstract interpreter over the neutral IR.

What is known
    taints.py         what an attacker may have put into a value, and how it came
    values.py         what a variable may hold: taints, a constant, an access path, a container's shape
    states.py         all variables at one point, and how two such states become one
    scopes.py         one file, indexed by its definitions
    summaries.py      what a function does to its arguments, in symbols, and how that applies to a call
One run over one body
    frame.py          the state, and what is found on the way
    statements.py     branches, loops, exceptions, definitions
    expressions.py    what each expression evaluates to
    assignment.py     names are bound, containers stored into, patterns taken apart
    tests.py          conditions: constants decide, guards clear
    membership.py     collections that hold nothing but the program's own constants
    narrowing.py      what is known of a place from here on
    patterns.py       patterns of `match`
    places.py         what tests have said of places without a name
    protocols.py      methods that the language calls by itself: iteration, `with`
    declared.py       annotations and dotted names
A call
    calls.py          which of all it could be called is
    arguments.py      what it is given
    invocation.py     the workspace's own functions and classes
    library.py        what the library models say of calls, attributes and assignments
    conditions.py     whether an entry of the models speaks of this call
    sinks.py          values that arrive where they should not
    own.py            what the user's own models say of the workspace's own functions
    callbacks.py      functions handed to a call that calls them
    reflection.py     getattr, setattr, dict(), partial
    rendering.py      a template called with what a view hands it
What it computes with
    containers.py     lists, dicts and objects: known keys and positions are told apart
    fields.py         what a form or a schema lets through, by the names of its fields
    folding.py        constants: operators and the pure methods of text
    kept.py           what outlives a call: objects' fields and modules' stores
    variants.py       functions as decorators wrap them, and as subclasses inherit them
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
