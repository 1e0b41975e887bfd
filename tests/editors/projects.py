"""What the editors open."""

VULNERABLE = """\
import subprocess

import flask

app = flask.Flask(__name__)


@app.get("/ping")
def ping():
    host = flask.request.args["host"]
    command = "ping -c 1 " + host
    return subprocess.check_output(command, shell=True)
"""
SINK = 12
"""The line with the finding."""
