"""The parts of a report, a file each: plain rows with their method, from what was read."""
