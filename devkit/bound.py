"""Run a program that is told to stop when its parent dies, however the parent dies: `bound.py PROGRAM ARGS…`.

Linux sends SIGTERM by prctl(PR_SET_PDEATHSIG); elsewhere the program just runs.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1

if __name__ == "__main__":
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    os.execvp(sys.argv[1], sys.argv[1:])
