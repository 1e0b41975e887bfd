"""Closeread's analysers: text in, findings out.

Pure: no I/O (but for the package's own data), no editor protocol, no model, no clock.
The façade is `pipeline.Project`.
"""
