"""The subcommands of ``tinyrobust``, one a file.

``add(parser)`` declares its options, ``main(args)`` runs it; both import what they need when they
are called. ``options`` and ``terminal`` are what several of them share.
"""
