#!/usr/bin/python3
"""at.py TIME COMMAND...: become the command at that moment (seconds since 1970)."""

import os
import sys
import time

time.sleep(max(float(sys.argv[1]) - time.time(), 0))
os.execvp(sys.argv[2], sys.argv[2:])
