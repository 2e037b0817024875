"""What relaying a packet costs, beside coturn in the same run: ``python -m benchmarks.relay``."""
