"""What host and firmware agree on, byte for byte.

- ``layout``: packs frozen dataclasses, the same bytes as a C struct.
- ``wire``: the messages of the protocol and its hash.
- ``plan``: the operator records of a network and their hash.
- ``headers``: writes ``firmware/include/{wire,plan}.gen.h`` from the two.
"""
