"""What an attack asks of a rung, and how it is answered once for all."""
