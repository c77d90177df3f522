"""The predictors of a ladder, and what holds them against each other."""
