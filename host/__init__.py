"""The bench: boards, links, runs, records, reports.

- ``cli``: the command ``tinyrobust``; ``commands`` has a file for each subcommand.
- ``config``: the settings of a run, out of ``bench.toml`` and the command line, as one ``Config``.
- ``runs``: ``execute``, one run from a ladder and a device to its records.
- ``devices``: ``attach``, a board's name to an emulated or attached board that answers questions.
- ``boards``: the table of boards, their firmware, emulators and programmers.
- ``link``: bytes to frames to answers. ``records``: what a run keeps, and how it is read back.
- ``analysis``: records to figures, without running anything. ``report``: figures to a page.
- ``setup``: a bare machine to a working checkout. ``perf``: ``make perf``.
"""
