"""Sets a process's clock wrong; Python imports this before all else if its folder is on its path.

Clocks that count from a start are as they are.
"""

import os
import time

import time_machine

time_machine.travel(time.time() + float(os.environ["ARGO_TEST_CLOCK"]), tick=True).start()
