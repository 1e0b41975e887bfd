"""Notes in and out: backups, and notes from elsewhere."""

import base64
import json
import pickle

import requests
from flask import Blueprint, abort, jsonify, request, session

from . import system
from .accounts import login_required
from .db import NoteDao

blueprint = Blueprint("transfer", __name__)


def keep_all(notes):
    """Keep the notes of a backup."""
    dao = NoteDao()
    for note in notes:
        dao.add(session["user"], str(note["title"]), str(note["body"]))
    return len(notes)


def decode_backup(text):
    """The notes of a backup in the old format."""
    return pickle.loads(base64.b64decode(text))


@blueprint.route("/restore", methods=["POST"])
@login_required
def restore():
    """Notes from a backup in the old format, which can run code."""
    return {"kept": keep_all(decode_backup(request.form["backup"]))}


@blueprint.route("/import", methods=["POST"])
@login_required
def import_notes():
    """Notes from a backup in a format that is only data."""
    return {"kept": keep_all(json.loads(request.form["backup"]))}


@blueprint.route("/clip", methods=["POST"])
@login_required
def clip():
    """A note with the text of a page, wherever that is."""
    address = request.form["address"]
    NoteDao().add(session["user"], address, system.fetch(address))
    return {"kept": 1}, 201


@blueprint.route("/feed")
@login_required
def feed():
    """The text of one of the feeds we know."""
    try:
        text = system.fetch_feed(request.args["name"])
    except (KeyError, requests.RequestException):
        abort(404)
    return jsonify(text=text)
