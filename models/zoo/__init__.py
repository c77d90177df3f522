"""The networks that come with the bench: ``catalog.open_model`` makes the ladder of a name.

``cards`` writes models/README.md; ``on_board`` keeps what was measured on an emulated board.
"""
