"""Settings, from the environment where they are secret."""

import os
from dataclasses import dataclass

MAIL_PASSWORD = "vK8#qTz2!mWp9sLx"


@dataclass(frozen=True)
class Settings:
    """Where things are, and the keys."""

    database: str
    uploads: str
    secret_key: str

    @classmethod
    def from_environment(cls):
        """The settings of this process."""
        return cls(
            database=os.environ.get("NOTES_DATABASE", "notes.sqlite3"),
            uploads=os.environ.get("NOTES_UPLOADS", "uploads"),
            secret_key=os.environ["NOTES_SECRET_KEY"],
        )
