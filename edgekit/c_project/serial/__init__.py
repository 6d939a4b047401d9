"""`serial/` of a C project: firmware that speaks MLPerf Tiny's protocol, and how to port it."""
