"""The admin port, asked for one page."""

import pytest

from authz.cli.admin import data, page
from authz.console.app import application
from authz.console.serving import AdminServer
from authz.errors import Unavailable
from tests.cli.routes.serving import answering
from tests.console.test_app import FixedState


def test_a_page_is_asked_for_by_address_or_url() -> None:
    """Both forms mean the same."""
    with answering({"/status": {"ready": True}}) as admin:
        assert data(admin, "/status") == data(admin.removeprefix("http://"), "/status") == {"ready": True}


@pytest.mark.parametrize("admin", ["127.0.0.1:1", "http://127.0.0.1:1", "[::1]:1", "127.0.0.1:none"])
def test_what_does_not_answer_is_one_error(admin: str) -> None:
    """No traceback for an address that is none either."""
    with pytest.raises(Unavailable):
        page(admin, "/status")


def test_what_is_no_admin_port_is_said() -> None:
    """Another server may answer with anything."""
    with answering({"/status": "<html>"}) as admin, pytest.raises(Unavailable, match="is no admin port of authz"):
        data(admin, "/status")


def test_a_name_that_is_not_answered_to_is_said() -> None:
    """The remedy is in the words: an address, or the setting."""
    server = AdminServer("127.0.0.1", 0, application(FixedState()))
    server.start()
    try:
        with pytest.raises(Unavailable, match=r"does not answer to this name: use its address, or set admin_hosts"):
            data(f"127.1:{server.port}", "/status")  # leads to 127.0.0.1, and is not written as an address
    finally:
        server.stop()
