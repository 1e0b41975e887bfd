"""What the languages of configuration share: `ConfigLanguage`, and how a document becomes IR.

Each format is a language of its own, a module beside this folder. A document is lowered so:

- A key with a value at the top is an `Assign` to a `Name` (a dotted key: an `Attribute` of it); a key without
  one (`ARG TOKEN`) an `Assign` of nothing. What is below it is `Mapping`, `Sequence` and `Constant`.
- A file of several documents is one `Block` a document.
- An environment given as a list (`- NAME=value`, or `- name: NAME` and `value: value`) is the `Mapping` it means.
- A value with a tag of the application's own (`!ENV x`) is a `Call`: nobody here knows what it becomes.
- A reference to another place of the document is an `Opaque`.
- A list of more than `MAX_RECORDS` mappings is data, not configuration: an `Opaque` with nothing in it.

A file without any word that a rule could ask for is not parsed at all (relevance.py), which is most of them.

Deliberately absent: what a value is for. Rules ask for the traits "settings" and "image-recipe".
"""

from .format import ConfigLanguage, Reading

__all__ = ["ConfigLanguage", "Reading"]
