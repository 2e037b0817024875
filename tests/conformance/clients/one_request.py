"""A client that is a process of its own: it sends one Binding request."""

from __future__ import annotations

CLIENT = """
import os, socket, sys, time
if sys.argv[3] in sys.argv[4:]:
    time.sleep(600)
kind = socket.SOCK_STREAM if sys.argv[2] == "tcp" else socket.SOCK_DGRAM
with socket.socket(socket.AF_INET, kind) as sock:
    sock.connect(("127.0.0.1", int(sys.argv[1])))
    sock.send(b"\\0\\1\\0\\0\\x21\\x12\\xa4\\x42" + os.urandom(12))
    while True:
        try:
            data = sock.recv(2000)
        except ConnectionError:
            sys.exit(1)
        if len(data) > 20 and data[:2] == b"\\1\\1":
            sys.exit(0)
"""
"""Takes a port, a transport and a script, and takes any success for its answer. In scripts that are
named behind these it sends nothing at all, and stays."""
