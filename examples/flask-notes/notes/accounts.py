"""Signing up, in and out."""

import functools
import hashlib
import hmac
import secrets
from urllib.parse import urlparse

from flask import Blueprint, abort, flash, redirect, render_template, request, session, url_for

from .db import UserDao

blueprint = Blueprint("accounts", __name__)


def login_required(view):
    """Only for users who are signed in."""

    @functools.wraps(view)
    def wrapped(*args, **kwargs):
        if "user" not in session:
            return redirect(url_for("accounts.login", next=request.path))
        return view(*args, **kwargs)

    return wrapped


def hash_password(password):
    """How passwords are kept."""
    return hashlib.md5(password.encode()).hexdigest()


def stretch_password(password, salt):
    """How they should be kept: slow on purpose, with a salt of their own."""
    return hashlib.scrypt(password.encode(), salt=salt, n=2**14, r=8, p=1)


def local_path(target):
    """`target` if it stays on this site, else the start page."""
    parts = urlparse(target)
    if parts.scheme or parts.netloc or not target.startswith("/") or target.startswith("//"):
        return url_for("pages.index")
    return target


@blueprint.route("/signup", methods=["GET", "POST"])
def signup():
    """Make an account."""
    if request.method == "GET":
        return render_template("signup.html")
    name = request.form["name"].strip()
    password = request.form["password"]
    if not name or len(password) < 12:
        flash("A name, and a password of twelve characters or more.")
        return render_template("signup.html"), 400
    UserDao().add(name, hash_password(password))
    return redirect(url_for("accounts.login"))


@blueprint.route("/login", methods=["GET", "POST"])
def login():
    """Sign in, then go where the visitor wanted to be."""
    if request.method == "GET":
        return render_template("login.html", next=request.args.get("next", "/"))
    user = UserDao().by_name(request.form["name"])
    if user is None or not hmac.compare_digest(user["password"], hash_password(request.form["password"])):
        flash("Wrong name or password.")
        return render_template("login.html", next="/"), 401
    session.clear()
    session["user"] = user["id"]
    session["csrf"] = secrets.token_urlsafe(32)
    return redirect(request.form.get("next", "/"))


@blueprint.route("/logout", methods=["POST"])
@login_required
def logout():
    """Sign out, then go to a page of this site."""
    if not hmac.compare_digest(request.form.get("csrf", ""), session["csrf"]):
        abort(403)
    session.clear()
    return redirect(local_path(request.form.get("next", "/")))
