"""Fixtures of the data-set tests."""

import pytest

from tests.support.served import serving


@pytest.fixture
def server(tmp_path, monkeypatch):
    """A file server, an empty cache, and no copies of one's own."""
    monkeypatch.setenv("TINYROBUST_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("BENCH_DATA", raising=False)
    with serving() as httpd:
        yield httpd
