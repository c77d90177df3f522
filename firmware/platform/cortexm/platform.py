"""PlatformIO's entry to the project-local platform.

It installs nothing: the toolchain is the system's.
"""

from platformio.platform.base import PlatformBase


class CortexmPlatform(PlatformBase):
    """Boards in ``boards/``, one builder for all of them."""

    def is_embedded(self) -> bool:
        """The programs run on a microcontroller, emulated or real."""
        return True
