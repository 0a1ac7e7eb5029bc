"""Where a server may listen, and what stands in the way."""

from __future__ import annotations

import socket
import stat
from typing import TYPE_CHECKING, Any

import grpc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz.errors import SettingsFaults, Unavailable
from authz.transport.address import SocketAddress, TcpAddress, read_addresses

if TYPE_CHECKING:
    from pathlib import Path

PATIENCE = 10.0


def test_addresses_are_read() -> None:
    """TCP with a name, IPv4 or IPv6, and Unix sockets in gRPC's three spellings."""
    tcp, v6, name, path, relative = read_addresses(
        ["127.0.0.1:9191", "[::1]:0", "localhost:1", "unix:///run/a.sock", "unix:a.sock"]
    )
    assert (tcp, v6, name) == (TcpAddress("127.0.0.1", 9191), TcpAddress("[::1]", 0), TcpAddress("localhost", 1))
    assert str(path) == "unix:///run/a.sock"
    assert read_addresses(["unix:/run/a.sock"]) == (path,)
    assert relative.path.is_absolute()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("unix-abstract:authz", "abstract"),
        ("unix:@authz", "abstract"),
        ("unix:\0authz", "abstract"),
        ("unix:", "unix:///path"),
        ("unix://run/a.sock", "unix:///path"),
        ("unix:///" + "x" * 107, "at most 107 bytes"),
        ("unix:///" + "ä" * 54, "at most 107 bytes"),
        ("127.0.0.1", "host:port"),
        (":9191", "host:port"),
        ("::1:9191", "host:port"),
        ("127.0.0.1:65536", "host:port"),
        ("http://127.0.0.1:80", "host:port"),
        ("127.0.0.1:80 ", "host:port"),
        ("", "host:port"),
    ],
)
def test_what_is_no_address_is_a_fault(text: str, why: str) -> None:
    """A fault names the address and what to write; abstract sockets are refused, as they have no mode."""
    with pytest.raises(SettingsFaults, match=why):
        read_addresses([text])


def test_every_fault_is_reported() -> None:
    """All bad addresses are named at once; none at all is a fault too."""
    with pytest.raises(SettingsFaults) as raised:
        read_addresses(["a", "127.0.0.1:1", "b"])
    assert len(raised.value.faults) == 2
    with pytest.raises(SettingsFaults):
        read_addresses([])


def test_an_address_given_twice_is_a_fault() -> None:
    """The second would unlink the first one's socket, or share its port; free ports are different ones."""
    for text in ("unix:///run/a.sock", "127.0.0.1:9191"):
        with pytest.raises(SettingsFaults, match="is given twice"):
            read_addresses([text, text])
    assert len(read_addresses(["127.0.0.1:0", "127.0.0.1:0"])) == 2


@given(st.text(max_size=130))
def test_reading_ends_in_addresses_or_faults(text: str) -> None:
    """Whatever is written, it is an address or a fault."""
    for written in (text, f"unix:{text}", f"unix://{text}"):
        try:
            (address,) = read_addresses([written])
        except SettingsFaults:
            continue
        assert isinstance(address, TcpAddress | SocketAddress)


def test_a_socket_is_for_owner_and_group(serve: Any, tmp_path: Path) -> None:
    """The mode of a Unix socket is 0660 (G14)."""
    serve()
    assert stat.S_IMODE((tmp_path / "s").stat().st_mode) == 0o660


def test_a_stale_socket_is_replaced(serve: Any, connect: Any, tmp_path: Path) -> None:
    """A socket file that nobody listens on, left by a crash, is removed."""
    with socket.socket(socket.AF_UNIX) as crashed:
        crashed.bind(str(tmp_path / "s"))
    assert connect(serve()).check(b"x", timeout=PATIENCE) == b"answer to x"


def test_a_socket_in_use_stays(serve: Any, connect: Any) -> None:
    """A second server does not take the first one's socket, which goes on answering."""
    client = connect(serve())
    with pytest.raises(Unavailable, match="another server does"):
        serve()
    assert client.check(b"x", timeout=PATIENCE) == b"answer to x"


def test_a_file_that_is_no_socket_stays(serve: Any, tmp_path: Path) -> None:
    """Only sockets are ever removed."""
    (tmp_path / "s").write_text("precious")
    with pytest.raises(Unavailable, match="no socket is in the way"):
        serve()
    assert (tmp_path / "s").read_text() == "precious"


def test_a_missing_directory_is_named(serve: Any, tmp_path: Path) -> None:
    """The error says which directory is not there."""
    with pytest.raises(Unavailable, match=f"no directory {tmp_path}/nowhere"):
        serve([f"unix:{tmp_path}/nowhere/s"])


def test_a_path_through_a_file_names_the_file(serve: Any, tmp_path: Path) -> None:
    """What stands where a directory should be is said, not what lies below it."""
    (tmp_path / "file").touch()
    with pytest.raises(Unavailable, match=f"{tmp_path}/file is no directory"):
        serve([f"unix:{tmp_path}/file/below/s"])


def test_a_directory_is_no_socket(serve: Any, tmp_path: Path) -> None:
    """Who gives the directory alone is told how to name a socket in it."""
    with pytest.raises(Unavailable, match=rf"is a directory \(name a socket in it: unix://{tmp_path}/authz.sock\)"):
        serve([f"unix:{tmp_path}"])


def test_looking_leaves_nothing_behind(tmp_path: Path) -> None:
    """A place that was found good is as it was."""
    SocketAddress(tmp_path / "s").prepare(reuse_port=False)
    assert not list(tmp_path.iterdir())


def test_odd_paths(serve: Any, connect: Any, tmp_path: Path) -> None:
    """A path is no URI: blanks, percent signs and question marks are themselves."""
    odd = tmp_path / "a b%20c?d#e"
    assert connect(serve([f"unix:{odd}"])).check(b"x", timeout=PATIENCE) == b"answer to x"
    assert odd.is_socket()


def test_port_zero_becomes_real(serve: Any, connect: Any) -> None:
    """Port 0 is any free one, and the address says which."""
    server = serve(["127.0.0.1:0"])
    assert server.addresses[0].port > 0
    assert connect(server).check(b"x", timeout=PATIENCE) == b"answer to x"


def test_several_addresses_at_once(serve: Any, tmp_path: Path) -> None:
    """One server listens on several TCP ports and sockets."""
    server = serve(["127.0.0.1:0", f"unix:{tmp_path}/a", "127.0.0.1:0", f"unix:{tmp_path}/b"])
    assert len(set(server.addresses)) == 4
    for address in server.addresses:
        with grpc.insecure_channel(address.target) as channel:
            answer = channel.unary_unary("/envoy.service.auth.v3.Authorization/Check")(b"x", timeout=PATIENCE)
            assert answer == b"answer to x"


def test_one_address_that_fails_frees_the_others(serve: Any, tmp_path: Path) -> None:
    """A server listens on all of its addresses or on none."""
    taken = serve(["127.0.0.1:0"]).addresses[0]
    with pytest.raises(Unavailable, match=rf"can't listen on {taken}: address already in use \(choose another port"):
        serve([f"unix:{tmp_path}/s", str(taken)])
    assert not SocketAddress(tmp_path / "s").path.is_socket()


def test_what_grpc_fails_to_bind_frees_the_others(serve: Any, tmp_path: Path, monkeypatch: Any) -> None:
    """Where somebody takes the place after we looked at it, the server that was half bound ends cleanly."""
    taken = serve(["127.0.0.1:0"]).addresses[0]
    monkeypatch.setattr(TcpAddress, "prepare", lambda *_self, **_options: None)
    with pytest.raises(Unavailable, match="gRPC's log says why"):
        serve([f"unix:{tmp_path}/s", str(taken)])
    assert not (tmp_path / "s").exists()


def test_a_name_that_is_none(serve: Any) -> None:
    """A host that can't be resolved is an error in words."""
    with pytest.raises(Unavailable, match=r"can't listen on no-such-host\.invalid:1"):
        serve(["no-such-host.invalid:1"])


def test_workers_share_a_port_only_if_told(serve: Any) -> None:
    """SO_REUSEPORT is an option for workers; without it a second server on a port is an error, not a silent half."""
    port = serve(["127.0.0.1:0"], reuse_port=True).addresses[0]
    assert serve([str(port)], reuse_port=True).addresses[0] == port
    with pytest.raises(Unavailable, match="in use"):
        serve([str(port)])
