"""How robust is the quantized network that really runs on a microcontroller?

- ``core``: what every package may import: types, errors, files, and the ABI of the firmware.
- ``models``: networks, training, export, and the rungs of a ladder on the host.
- ``attacks``: perturbations on the int8 input grid, of whatever answers or has gradients.
- ``host``: the bench: boards, links, runs, records, reports, and the command ``tinyrobust``.
- ``studies``: experiments that use all of these.

Imports go down: studies, host, models beside attacks, core. In a checkout all but ``core`` are
links to the folders of the same name at the top. Importing ``tinyrobust`` imports none of them.
"""
