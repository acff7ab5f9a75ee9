"""What a machine can judge about this repository before a person reads it: `python -m tools.check`."""
