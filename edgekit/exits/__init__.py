"""Networks that answer early: thresholds, expected cost, and the parts that run one by one."""
