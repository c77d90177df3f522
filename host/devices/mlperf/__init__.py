"""Any firmware that speaks the MLPerf Tiny protocol, as a device of the bench."""
