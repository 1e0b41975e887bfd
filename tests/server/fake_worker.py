"""A worker process whose analyser is the fake one. Run as a script by test_work.py."""

from fake import Marker

from closeread.worker import run_worker

run_worker(Marker)
