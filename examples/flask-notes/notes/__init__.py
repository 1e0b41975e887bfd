"""A small notes application: accounts, notes with tags, attachments, export and import."""

from flask import Flask

from . import accounts, attachments, db, pages, transfer
from .settings import Settings


def create_app(settings=None):
    """The application, with its blueprints and its database."""
    settings = settings or Settings.from_environment()
    app = Flask(__name__)
    app.config["DATABASE"] = settings.database
    app.config["UPLOADS"] = settings.uploads
    app.config["MAX_CONTENT_LENGTH"] = 8 * 1024 * 1024
    app.config["SESSION_COOKIE_SECURE"] = True
    app.config["SESSION_COOKIE_SAMESITE"] = "Lax"
    app.secret_key = settings.secret_key

    app.register_blueprint(accounts.blueprint)
    app.register_blueprint(pages.blueprint)
    app.register_blueprint(attachments.blueprint, url_prefix="/attachments")
    app.register_blueprint(transfer.blueprint, url_prefix="/transfer")
    app.teardown_appcontext(db.close)
    with app.app_context():
        db.create_tables()
    return app
