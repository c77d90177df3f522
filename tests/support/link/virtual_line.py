"""A line to a scripted board in time that passes only while somebody waits: exact, and over in no
time.
"""

from tinyrobust.host.link.frame import Damaged, Deframer, encode


class VirtualClock:
    """Stands in for the module ``time``."""

    def __init__(self):
        self.now = 1000.0

    def monotonic(self):
        return self.now


class VirtualLine:
    """A Port.

    ``board(frame, n)``, asked about each frame, the n-th from 0, gives what goes back: (delay,
    bytes) pairs.

    A delay is in seconds from the moment of the request. ``sent`` holds (time, bytes) of every
    write, time from 0; ``longest`` is the longest time that a read was given.
    """

    def __init__(self, clock, board=lambda frame, n: ()):
        self.clock, self.board = clock, board
        self.start = clock.now
        self.deframer = Deframer()
        self.sent, self.frames, self.due = [], [], []
        self.longest = 0.0

    def write(self, data):
        self.sent.append((self.clock.now - self.start, data))
        for frame in self.deframer.feed(data):
            self.frames.append((self.clock.now - self.start, frame))
            for delay, back in self.board(frame, len(self.frames) - 1):
                self.due.append((self.clock.now + delay, back))
        self.due.sort(key=lambda one: one[0])

    def read(self, timeout):
        self.longest = max(self.longest, timeout)
        if not self.due or self.due[0][0] > self.clock.now + timeout:
            self.clock.now += timeout
            return b""
        at, data = self.due.pop(0)
        self.clock.now = max(self.clock.now, at)
        return data

    def close(self):
        pass

    def times(self, delimiters=False):
        """When frames were sent, or when lone delimiters were."""
        return [round(at, 6) for at, data in self.sent if (data == b"\0") is delimiters]


def reply(frame, body, tail=b""):
    """The wire bytes of an answer to ``frame``."""
    return encode(0 if isinstance(frame, Damaged) else frame.seq, body, tail)
