"""One operator of a .tflite to its record in the plan, or the reason why not.

- ``table.record_of``: what is supported, and by which function.
- ``checks.Checked``: one operator, its tensors and options, and the checks that all records share.
- ``weighted`` with ``arithmetic``, ``windows``, ``pointwise``, ``softmax``: the records by kind.
"""
