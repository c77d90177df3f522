"""S2, Gorsline, Smith and Merkel 2021 (arXiv:2105.00227): bits against the attack's strength.

Run by ``python -m tinyrobust.studies.s2``; what it found is in docs/s2-bits.md.
"""
