"""What the application asks of the machine: programs, files, and other sites."""

import subprocess
from pathlib import Path

import requests

FEEDS = {
    "news": "https://news.example.org/feed.json",
    "weather": "https://weather.example.org/today.json",
}


def convert(source, target, size):
    """Make a smaller picture."""
    command = "convert %s -resize %s %s" % (source, size, target)
    return subprocess.run(command, shell=True, check=False, timeout=20).returncode == 0


def rotate(source, target, degrees):
    """Turn a picture: a list of arguments, no shell, and a number that is one."""
    command = ["convert", str(source), "-rotate", str(int(degrees)), str(target)]
    return subprocess.run(command, check=False, timeout=20).returncode == 0


def read_attachment(folder, name):
    """The bytes of an attachment."""
    with open(f"{folder}/{name}", "rb") as file:
        return file.read()


def read_inside(folder, name):
    """The bytes of an attachment, if it really lies in the folder."""
    root = Path(folder).resolve()
    path = (root / name).resolve()
    if not path.is_relative_to(root):
        raise PermissionError("outside the folder")
    return path.read_bytes()


def fetch(address):
    """The text at an address."""
    answer = requests.get(address, timeout=5)
    answer.raise_for_status()
    return answer.text


def fetch_feed(name):
    """The text of one of the feeds we know."""
    address = FEEDS.get(name)
    if address is None:
        raise KeyError(name)
    return fetch(address)
