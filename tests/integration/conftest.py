import pytest

from postern_testing.gateway import backend


@pytest.fixture
def backend_with():
    """backend_with(upstream, ..., setting=value): a backend of these servers for gateway()."""

    def make(*servers, **changes) -> dict:
        return backend(*(server.port for server in servers), **changes)

    return make
