"""A Linux board behind the user's own OpenSSH client."""
