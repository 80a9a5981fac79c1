"""Run a command; print its seconds and its processor's seconds, and what it wrote, as JSON."""

import json
import resource
import subprocess
import sys
import time

begun = time.monotonic()
done = subprocess.run(sys.argv[1:], stdout=subprocess.PIPE, text=True, check=False)
seconds = time.monotonic() - begun
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(json.dumps({"seconds": seconds, "cpu": used.ru_utime + used.ru_stime, "said": done.stdout}))
sys.exit(done.returncode)
