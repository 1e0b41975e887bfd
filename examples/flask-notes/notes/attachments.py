"""Files kept beside a note."""

from pathlib import Path

from flask import Blueprint, Response, abort, current_app, request, send_from_directory
from werkzeug.utils import secure_filename

from . import system
from .accounts import login_required

blueprint = Blueprint("attachments", __name__)

ALLOWED = {".png", ".jpg", ".txt", ".pdf"}
SIZES = {"small": "200x200", "large": "1600x1600"}


@blueprint.route("/", methods=["POST"])
@login_required
def upload():
    """Keep a file: only of some types, under a name made harmless."""
    file = request.files["file"]
    name = secure_filename(file.filename or "")
    if Path(name).suffix.lower() not in ALLOWED:
        abort(415)
    file.save(Path(current_app.config["UPLOADS"]) / name)
    return {"name": name}, 201


@blueprint.route("/raw")
@login_required
def raw():
    """An attachment, by whatever name was asked for."""
    name = request.args["name"]
    data = system.read_attachment(current_app.config["UPLOADS"], name)
    return Response(data, mimetype="application/octet-stream")


@blueprint.route("/checked")
@login_required
def checked():
    """An attachment, by a name that must stay inside the folder."""
    try:
        data = system.read_inside(current_app.config["UPLOADS"], request.args["name"])
    except (PermissionError, FileNotFoundError):
        abort(404)
    return Response(data, mimetype="application/octet-stream")


@blueprint.route("/<name>")
@login_required
def served(name):
    """An attachment, served by the framework, which looks after the path."""
    return send_from_directory(current_app.config["UPLOADS"], name)


@blueprint.route("/<int:number>/thumbnail")
@login_required
def thumbnail(number):
    """A smaller picture, in the size that was asked for."""
    folder = current_app.config["UPLOADS"]
    size = request.args.get("size", "200x200")
    if not system.convert(f"{folder}/{number}.png", f"{folder}/{number}-small.png", size):
        abort(500)
    return send_from_directory(folder, f"{number}-small.png")


@blueprint.route("/<int:number>/picture")
@login_required
def picture(number):
    """A picture in one of our own sizes."""
    folder = current_app.config["UPLOADS"]
    size = SIZES.get(request.args.get("size"), SIZES["small"])
    if not system.convert(f"{folder}/{number}.png", f"{folder}/{number}-fit.png", size):
        abort(500)
    return send_from_directory(folder, f"{number}-fit.png")


@blueprint.route("/<int:number>/rotated")
@login_required
def rotated(number):
    """A picture, turned."""
    folder = current_app.config["UPLOADS"]
    if not system.rotate(f"{folder}/{number}.png", f"{folder}/{number}-turned.png", request.args["degrees"]):
        abort(500)
    return send_from_directory(folder, f"{number}-turned.png")
