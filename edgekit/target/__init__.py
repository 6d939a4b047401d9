"""What a target can run and hold: profiles, op tables, checks."""
