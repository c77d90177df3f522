"""Any firmware of the MLPerf Tiny protocol as a Predictor: rounded scores, never bytes."""
