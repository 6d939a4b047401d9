"""Files of recorded traces: `read` finds the reader by what a file holds, `write` keeps a trace."""
