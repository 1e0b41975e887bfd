"""Makes the folder it is in a program: `python -I FOLDER serve`, and `python -I FOLDER -m MODULE` for the server's own children."""

import runpy
import sys

if sys.argv[1:2] == ["-m"]:
    del sys.argv[:2]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
else:
    sys.argv[0] = "closeread"
    runpy.run_module("closeread", run_name="__main__", alter_sys=True)
