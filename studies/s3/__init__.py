"""S3, Ayaz et al. 2023 (arXiv:2304.12829): deep quantization and the Jacobian, on the chip's bytes.

Run by ``python -m tinyrobust.studies.s3``; what it found is in docs/s3-claim.md.
"""
