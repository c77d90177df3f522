"""Tools of attacks that differentiate: compiled graphs, losses, projections, searches."""
