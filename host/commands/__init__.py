"""The subcommands of ``tinyrobust``, one a file: ``add(parser)`` declares its options,
``main(args)`` runs it.
"""
