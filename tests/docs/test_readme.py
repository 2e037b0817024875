"""What the README prints, runs."""

from __future__ import annotations

import pathlib
import re
import subprocess
import sys

README = pathlib.Path(__file__).parent.parent.parent / "README.md"


def test_the_library_example_runs_as_printed() -> None:
    (example,) = re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL)

    done = subprocess.run(
        [sys.executable, "-c", example], capture_output=True, text=True, check=False, timeout=50
    )

    assert (done.stdout, done.stderr) == ("b'hello, bob'\n", "")
