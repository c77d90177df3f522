"""Experiments on the committed networks, each one command, ``python -m tinyrobust.studies.NAME``.

``s2``, ``s3``, ``s4_attacks``, ``twin_gradients`` and ``tensorflow.page`` write a page of docs/;
``jacobian_effect`` and ``mfcc_agreement`` print, ``board_agreement`` keeps figures for the cards.
"""
