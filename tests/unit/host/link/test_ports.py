"""Ports: bytes arrive, a dead peer is one line, and two full pipes never wait for each other."""

import os
import threading
import time

import pytest

from tinyrobust.core.errors import LinkError
from tinyrobust.host.link.pipes import ChildPort, FifoPort
from tinyrobust.host.link.serial_port import SerialPort


def read_all(port, size):
    data = bytearray()
    while len(data) < size:
        data += port.read(5.0)
    return bytes(data)


def test_peer_that_answers_while_it_is_written_to():
    """`cat` blocks on its output long before it has read 4 MiB."""
    port = ChildPort(["cat"])
    sent = os.urandom(4 << 20)
    port.write(sent)
    assert read_all(port, len(sent)) == sent
    port.close()
    port.close()


def test_ended_child_says_why():
    port = ChildPort(["sh", "-c", "echo no plan >&2; exit 3"])
    with pytest.raises(LinkError, match="sh: ended with status 3: no plan"):
        port.read(5.0)
    port.close()


def test_missing_program():
    with pytest.raises(LinkError, match="No such file or directory: build it first"):
        ChildPort(["/nonexistent/firmware"])


def test_silence_is_no_error():
    port = ChildPort(["cat"])
    start = time.monotonic()
    assert port.read(0.05) == b""
    assert time.monotonic() - start < 2
    port.close()


def test_stubborn_child_is_ended():
    port = ChildPort(["sh", "-c", "trap '' TERM; exec sleep 60"])
    port.close()
    with pytest.raises(ProcessLookupError):
        os.kill(port.pid, 0)


@pytest.fixture
def pipes(tmp_path):
    for name in ("to", "from"):
        os.mkfifo(tmp_path / name)
    return tmp_path / "to", tmp_path / "from"


def test_fifos_carry_bytes_and_tell_their_end(pipes):
    def peer():
        with pipes[0].open("rb", buffering=0) as rx, pipes[1].open("wb", buffering=0) as tx:
            tx.write(rx.read(5)[::-1])

    thread = threading.Thread(target=peer)
    thread.start()
    port = FifoPort("qemu", *pipes, lambda: None)
    port.write(b"abcde")
    assert read_all(port, 5) == b"edcba"
    thread.join()
    with pytest.raises(LinkError, match="qemu: closed its port"):
        port.read(1.0)
    port.close()


def test_fifo_whose_emulator_never_came(pipes):
    with pytest.raises(LinkError, match="qemu: ended with status 1"):
        FifoPort("qemu", *pipes, lambda: "ended with status 1")
    with pytest.raises(LinkError, match="has not opened its port within"):
        FifoPort("qemu", *pipes, lambda: None, timeout=0.05)


def test_serial_url():
    port = SerialPort("loop://", 115200)
    port.write(b"hello")
    assert read_all(port, 5) == b"hello"
    assert port.read(0.01) == b""
    port.close()


@pytest.mark.parametrize("url", ["/nonexistent/tty", "nonsense://x"])
def test_serial_that_is_not_there(url):
    with pytest.raises(LinkError) as error:
        SerialPort(url, 115200)
    assert str(error.value).startswith(url)
    assert "\n" not in str(error.value)
