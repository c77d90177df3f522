"""What a person sees of a command: ``tables``, a progress ``bar``, a run's ``output``."""
