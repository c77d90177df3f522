"""A .tflite compiled to the plan that the firmware executes; every parameter is resolved here.

- ``compiler.compile_plan``: bytes to bytes, refusing what the firmware cannot run.
- ``reader.read_plan``: a plan taken apart again, for whatever executes it on the host.
- ``bundle.build``: the .tflite and its plan on disk; ``c_sources``: both as C.
"""
