"""Our attacks beside their reference implementations: what is found at equal steps, and when."""
