"""What host and firmware agree on, byte for byte: ``layout`` packs dataclasses, ``wire`` declares
the messages, ``plan`` the operator records, and ``headers`` writes ``firmware/include/*.gen.h``
from both.
"""
