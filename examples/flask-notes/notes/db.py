"""One SQLite connection a request, and the data access objects on it."""

import sqlite3

from flask import current_app, g


def connection():
    """The request's connection."""
    if "connection" not in g:
        g.connection = sqlite3.connect(current_app.config["DATABASE"])
        g.connection.row_factory = sqlite3.Row
    return g.connection


def close(error=None):
    """Give the connection back at the end of the request."""
    opened = g.pop("connection", None)
    if opened is not None:
        opened.close()


def create_tables():
    """Make the tables of a new database."""
    with current_app.open_resource("schema.sql", "r") as schema:
        connection().executescript(schema.read())


class Dao:
    """What all data access objects share."""

    table = ""

    def __init__(self):
        self.connection = connection()

    def fetch_all(self, statement, values=()):
        """All rows of a statement."""
        return self.connection.execute(statement, values).fetchall()

    def fetch_one(self, statement, values=()):
        """The first row of a statement, or None."""
        return self.connection.execute(statement, values).fetchone()

    def run(self, statement, values=()):
        """Run a statement that changes rows."""
        with self.connection:
            self.connection.execute(statement, values)


class NoteDao(Dao):
    """Notes and their tags."""

    table = "notes"
    sortable = {"title": "title", "newest": "created DESC"}

    def of_owner(self, owner, order="newest"):
        """All notes of an owner. The order is one of ours, whatever was asked for."""
        column = self.sortable.get(order, "created DESC")
        return self.fetch_all(f"SELECT * FROM {self.table} WHERE owner = ? ORDER BY {column}", (owner,))

    def by_id(self, note_id, owner):
        """One note, if it is the owner's."""
        return self.fetch_one("SELECT * FROM notes WHERE id = ? AND owner = ?", (note_id, owner))

    def search(self, owner, words):
        """Notes that contain the words."""
        condition = "body LIKE '%" + words + "%'"
        return self.fetch_all(f"SELECT * FROM notes WHERE owner = {int(owner)} AND {condition}")

    def with_tag(self, owner, tag):
        """Notes with a tag: the same question as `search`, asked with parameters."""
        return self.fetch_all("SELECT * FROM notes WHERE owner = ? AND tags LIKE ?", (owner, f"%{tag}%"))

    def add(self, owner, title, body):
        """Keep a new note."""
        self.run("INSERT INTO notes (owner, title, body) VALUES (?, ?, ?)", (owner, title, body))


class UserDao(Dao):
    """Accounts."""

    table = "users"

    def by_name(self, name):
        """The account of that name, or None."""
        return self.fetch_one("SELECT * FROM users WHERE name = ?", (name,))

    def add(self, name, password_hash):
        """Keep a new account."""
        self.run("INSERT INTO users (name, password) VALUES (?, ?)", (name, password_hash))
