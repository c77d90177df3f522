"""A real HTTP server for download tests: serves files from memory, honours Range, and can stop half
way.
"""

import hashlib
import http.server
import io
import tarfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from tinyrobust.models.data.download import Source


class _Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = self.server.files.get(self.path[1:])
        if body is None:
            self.send_error(404)
            return
        at = int(self.headers.get("Range", "bytes=0-")[6:-1])
        self.server.asked.append(at)
        self.send_response(206 if at else 200)
        self.end_headers()
        self.wfile.write(body[at : self.server.stop])

    def log_message(self, *args):
        pass


class FileServer(http.server.ThreadingHTTPServer):
    """``files`` by name; ``stop``: byte at which it hangs up; ``asked``: the offset of every
    request.
    """

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.files: dict[str, bytes] = {}
        self.asked: list[int] = []
        self.stop: int | None = None

    def publish(self, folder: str, name: str, body: bytes) -> Source:
        """``body`` under its own digest."""
        self.files[name] = body
        url = f"http://127.0.0.1:{self.server_port}/{name}"
        return Source(folder, url, hashlib.sha256(body).hexdigest(), len(body))


@contextmanager
def serving() -> Iterator[FileServer]:
    """A server for as long as the block runs."""
    with FileServer() as httpd:
        threading.Thread(target=httpd.serve_forever, args=(0.01,), daemon=True).start()
        try:
            yield httpd
        finally:
            httpd.shutdown()


def tar_gz(files: dict[str, bytes]) -> bytes:
    """A ``.tar.gz`` of ``files``, each name with the leading ``./`` that ``tar c .`` writes."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz", compresslevel=1) as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(f"./{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return out.getvalue()
