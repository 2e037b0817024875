"""What stands between ``conformance`` and who uses it: the command line, and pytest."""
