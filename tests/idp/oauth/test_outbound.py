"""Calls to addresses that clients name: bounded, and never into our own network."""

import socket
import ssl
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from idp.oauth import outbound
from idp.oauth.outbound import Unreachable, fetch, post
from idp.service import Service, build_service
from tests.builders import settings_for
from tests.certificates import Authority
from tests.idp.oauth.publisher import Publisher, publisher

JSON = "application/json"


@pytest.fixture
def service() -> Service:
    return build_service(settings_for("sqlite://"))


@pytest.fixture
def published() -> Iterator[Publisher]:
    with publisher() as running:
        yield running


def production(**changes: object) -> Service:
    return build_service(settings_for("sqlite://", environment="production", base_url="https://id.kstu.kg", **changes))


def reason(service: Service, url: str) -> str:
    with pytest.raises(Unreachable) as told:
        fetch(service, url, JSON)
    return told.value.reason


def test_a_document_is_fetched_with_the_name_it_was_asked_by(service: Service, published: Publisher) -> None:
    url = published.url("/keys?set=1", {"keys": []}).replace("127.0.0.1", "localhost")
    assert fetch(service, url, JSON) == b'{"keys": []}'
    headers = published.headers[0]
    assert headers["Host"] == url.split("/")[2]
    assert headers["Accept"] == JSON
    assert headers["Accept-Encoding"] == "identity"


def test_a_form_is_posted(service: Service, published: Publisher) -> None:
    post(service, published.url("/logout", {}), {"logout_token": "a.b.c"})
    assert published.forms == [b"logout_token=a.b.c"]


@pytest.mark.parametrize(
    ("document", "told"),
    [
        (404, "HTTP 404"),
        (500, "HTTP 500"),
        ("/elsewhere", "HTTP 302"),
        (b"x" * 65_537, "an answer over 65536 bytes"),
    ],
)  # fmt: skip
def test_what_is_no_plain_small_answer_is_refused(
    service: Service, published: Publisher, document: object, told: str
) -> None:
    assert reason(service, published.url("/document", document)) == told
    assert published.asked == ["/document"]


@pytest.mark.parametrize(
    "url",
    [
        "ftp://rp.example/keys",
        "http://rp.example/keys",
        "https://user@rp.example/keys",
        "https://rp.example:99999/keys",
        "https:///keys",
        "https://rp.example/a/../keys",
        "https://кут.kg/keys",
        "",
    ],
)
def test_what_is_no_address_of_a_client_is_not_called(service: Service, url: str) -> None:
    assert "no address that can be called" in reason(service, url)


def test_a_name_that_nobody_knows_is_unreachable(service: Service) -> None:
    assert reason(service, "https://rp.invalid/keys") == "the name is not known"


def test_an_address_where_nothing_listens_is_unreachable(service: Service) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        assert reason(service, f"http://127.0.0.1:{unused.getsockname()[1]}/") == "no connection"


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0",
     "224.0.0.1", "240.0.0.1", "[::1]", "[fe80::1]", "[fd00::1]", "[ff02::1]", "[::]", "[::ffff:10.0.0.1]",
     "[64:ff9b::a00:1]", "[2002:a00:1::]", "2130706433", "0x7f.1", "127.1"],
)  # fmt: skip
def test_in_production_no_way_leads_into_a_private_network(host: str) -> None:
    assert reason(production(), f"https://{host}/keys") == "the name leads into a network that is not open to clients"


def test_in_production_nothing_is_connected_to_a_refused_address(published: Publisher) -> None:
    assert "not open" in reason(production(), published.url("/keys", {}))
    assert published.asked == []


def test_networks_that_the_settings_open_may_be_called(published: Publisher) -> None:
    opened = production(client_networks=["127.0.0.0/8"])
    assert fetch(opened, published.url("/keys", {}), JSON) == b"{}"


def test_an_answer_that_trickles_in_is_cut_off(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbound, "SECONDS", 0.4)
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=_trickle, args=(server,), daemon=True).start()
        started = time.monotonic()
        assert reason(service, f"http://127.0.0.1:{server.getsockname()[1]}/") == "no answer in time"
        assert time.monotonic() - started < 2


def test_the_certificate_must_be_that_of_the_name(
    service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = Authority()
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.write(tmp_path)))
    assert _over_tls(service, authority, "localhost", tmp_path) == b"hello"
    with pytest.raises(Unreachable, match="the certificate was not accepted"):
        _over_tls(service, authority, "rp.example", tmp_path)


def _trickle(server: socket.socket) -> None:
    connection, _ = server.accept()
    with connection:
        for _ in range(100):
            try:
                connection.sendall(b"H")
            except OSError:
                return
            time.sleep(0.05)


def _over_tls(service: Service, authority: Authority, name: str, folder: Path) -> bytes:
    """What is fetched from localhost, where a server shows a certificate for `name`."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(authority.server(name, folder))
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=_answer_once, args=(server, tls), daemon=True)
        thread.start()
        try:
            return fetch(service, f"https://localhost:{server.getsockname()[1]}/", JSON)
        finally:
            thread.join(2)


def _answer_once(server: socket.socket, tls: ssl.SSLContext) -> None:
    connection, _ = server.accept()
    with connection:
        try:
            with tls.wrap_socket(connection, server_side=True) as talk:
                talk.recv(4096)
                talk.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")
        except OSError:
            return
