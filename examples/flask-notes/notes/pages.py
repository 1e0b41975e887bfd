"""The pages: the list of notes, search, one note, and a preview of a note being written."""

from flask import Blueprint, abort, redirect, render_template, render_template_string, request, session, url_for

from .accounts import login_required
from .db import NoteDao

blueprint = Blueprint("pages", __name__)

PREVIEW = """
<article class="preview">
  <h2>{title}</h2>
  <p>Written by user {author}.</p>
</article>
"""


@blueprint.route("/")
@login_required
def index():
    """All notes of the user."""
    notes = NoteDao().of_owner(session["user"], request.args.get("order", "newest"))
    return render_template("index.html", notes=notes)


@blueprint.route("/search")
@login_required
def search():
    """Notes with some words in them, or with a tag."""
    dao = NoteDao()
    words = request.args.get("q", "").strip()
    if words.startswith("#"):
        notes = dao.with_tag(session["user"], words[1:])
    else:
        notes = dao.search(session["user"], words)
    return render_template("search.html", notes=notes, words=words)


@blueprint.route("/notes/<int:note_id>")
@login_required
def show(note_id):
    """One note."""
    note = NoteDao().by_id(note_id, session["user"])
    if note is None:
        abort(404)
    return render_template("note.html", note=note)


@blueprint.route("/notes", methods=["POST"])
@login_required
def add():
    """Keep a new note."""
    NoteDao().add(session["user"], request.form["title"], request.form["body"])
    return redirect(url_for("pages.index"))


@blueprint.route("/preview", methods=["POST"])
@login_required
def preview():
    """How a note will look: its title becomes part of the template's source."""
    source = PREVIEW.format(title=request.form["title"], author=session["user"])
    return render_template_string(source)


@blueprint.route("/card", methods=["POST"])
@login_required
def card():
    """How a note will look in a list: its title is a value that the template escapes."""
    return render_template_string("<li>{{ title }}</li>", title=request.form["title"])
