"""Images of the emulated tests: PlatformIO is asked once a session for each, not for each test."""

import shutil

import pytest

from tinyrobust.host.boards import build


@pytest.fixture(scope="session", autouse=True)
def built_once(tmp_path_factory):
    """Sources do not change while tests run, and finding that out takes PlatformIO seconds.

    An image with a network linked in is built whenever it is asked for. What is kept is a copy:
    such an image takes the place of the one that was built before it.
    """
    folder, kept, platformio = tmp_path_factory.mktemp("images"), {}, build._platformio

    def once(board, parts, root, lock):
        if parts.sources:
            return platformio(board, parts, root, lock)
        key = (board.env, parts, root)
        if key not in kept:
            elf = folder / f"{board.env}-{len(kept)}" / "firmware.elf"
            elf.parent.mkdir()
            kept[key] = shutil.copy2(platformio(board, parts, root, lock), elf)
        return kept[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(build, "_platformio", once)
        yield
