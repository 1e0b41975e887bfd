"""What a rule written in Python sees: the context of one node, and how it reports.

One walk over a unit's nodes serves all checks (`flow` has its own interpreter). A check gets nodes
only of the classes it asked for. Absent on purpose: data flow, other files, and any way to read one.
"""
