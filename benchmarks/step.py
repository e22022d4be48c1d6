"""One step of a benchmark as a program: `python -m benchmarks.step module:function '{"arguments": …}'`.

The last line on stdout is JSON: seconds, peak_mb and what the function returned. A process for each step keeps one
contender's memory apart from another's.
"""

import importlib
import json
import os
import resource
import sys
import time
from pathlib import Path
from typing import Any

import django


def main(function: str, arguments: str) -> None:
    """Set Django up, call the function, print what it took."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    module, name = function.split(":")
    call = getattr(importlib.import_module(module), name)
    started = time.perf_counter()
    result: Any = call(**json.loads(arguments))
    seconds = time.perf_counter() - started
    print(json.dumps({"seconds": seconds, "peak_mb": peak_mb(), "result": result}))


def peak_mb() -> float:
    """Largest resident size of this process, and of the largest that it started; MB of 1,000,000 bytes. Linux only."""
    status = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
    line = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
    own = int(line.split()[1])
    started = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    return round((own + started) * 1024 / 1e6, 1)


if __name__ == "__main__":
    main(*sys.argv[1:])
