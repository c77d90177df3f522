"""Ports, frames and exchanges: bytes to answers over a line that may damage them."""
