"""A module that takes a second of the processor's time to import."""

import time

_until = time.process_time() + 1.0
while time.process_time() < _until:
    pass

name = None
