"""Text from elsewhere, made fit to be shown. Pure.

It is a board's name, a run's folder, an emulator's last words.
"""

from __future__ import annotations

MOST_LINE = 2000
"""Characters of one line of a message."""


def printable(text: str) -> str:
    """``text`` with ``?`` in place of what no terminal should be sent.

    That is control, escape, format (bidirectional) and surrogate characters.

    Blanks of every kind, line ends among them, become one space each, so that the length stays as
    it is.
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else " " if c.isspace() else "?" for c in text)


def one_line(text: object) -> str:
    """The text of an error as one printable line of at most ``MOST_LINE`` characters."""
    return printable(" ".join(str(text).split()))[:MOST_LINE]
