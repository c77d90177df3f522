"""Architectures, each with ``build_float`` and ``build_qat``.

- ``digits_cnn``, ``digits_deep``, ``resnet8``, ``s3_cnn``: the networks that are trained here.
- ``published``: a table of others' networks, made of ``chain`` and ``dense_chain``.
"""
