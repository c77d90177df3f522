"""What a person sees of a command: ``tables``, the progress ``bar``, a run's figures (``output``)."""
