"""Signing out in one place, and how clients' pages notice it: frames on our page, and our frame on theirs."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.conftest import Browse
from tests.journeys.relying_party import RelyingParty, relying_party
from tests.journeys.scene import Scene, send, sign_in

ASKING = """<!doctype html><html lang=en><title>UNET</title><link rel=icon href=data:,><h1>asking</h1><p id=answer></p>
<iframe id=op src="{frame}"></iframe>
<script>
  const op = document.getElementById("op");
  window.ask = (said) => op.contentWindow.postMessage(said, "{issuer}");
  addEventListener("message", (event) => {{
    if (event.origin === "{issuer}") document.getElementById("answer").textContent = event.data;
  }});
</script>"""


class Told(list[str]):
    """The paths a client was asked for, in its frames; `base` is its address."""

    base = ""


@pytest.fixture
def told(scene: Scene) -> Iterator[Told]:
    """A client that is told by frames, and has a page that asks ours."""
    paths = Told()
    asking = ASKING.format(frame=f"{scene.base}/oauth/check-session", issuer=scene.base).encode()

    class Pages(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            paths.append(self.path)
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(asking if self.path == "/asking" else b"<!doctype html><title>out</title>")

        def log_message(self, format: str, *args: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Pages)
    paths.base = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield paths
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def unet() -> Iterator[RelyingParty]:
    with relying_party() as party:
        yield party


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_signing_out_at_one_system_tells_the_other_in_a_frame_and_goes_back(
    scene: Scene, browse: Browse, unet: RelyingParty, told: Told, scripts: bool
) -> None:
    client_id, secret = scene.client(unet.callback, post_logout_redirect_uris=[unet.bye])
    other, _ = scene.client(
        unet.callback,
        name="Moodle",
        frontchannel_logout_uri=f"{told.base}/out",
        frontchannel_logout_session_required=True,
    )
    page = browse(java_script_enabled=scripts)
    sign_in(page, scene.make.account())
    page.goto(unet.sign_in_url(scene.base, other))
    page.goto(unet.sign_in_url(scene.base, client_id))
    claims = unet.redeem(scene.base, client_id, secret)
    page.goto(
        f"{scene.base}/oauth/logout?id_token_hint={claims['raw']}&post_logout_redirect_uri={unet.bye}&state=x",
        wait_until="commit",
    )
    expect(page).to_have_url(f"{unet.bye}?state=x")
    (path,) = told
    assert parse_qs(urlsplit(path).query) == {"iss": [scene.base], "sid": [claims["sid"]]}


def test_a_page_of_a_client_notices_that_somebody_signed_out(scene: Scene, browse: Browse, told: Told) -> None:
    unet = RelyingParty(told.base)
    client_id, _ = scene.client(unet.callback)
    page = browse()
    sign_in(page, scene.make.account())
    page.goto(unet.sign_in_url(scene.base, client_id))
    (answer,) = [path for path in told if path.startswith("/callback?")]  # browsers ask for an icon as well
    (state,) = parse_qs(urlsplit(answer).query)["session_state"]
    watching = page.context.new_page()
    watching.goto(f"{told.base}/asking")
    ask(watching, f"{client_id} {state}", "unchanged")
    ask(watching, f"another {state}", "changed")
    ask(watching, "nonsense", "error")
    ask(watching, f"{client_id} {state} and more", "error")
    page.goto(f"{scene.base}/sign-out")
    send(page)
    ask(watching, f"{client_id} {state}", "changed")
    page.context.clear_cookies(name="achkych-state")
    ask(watching, f"{client_id} {state}", "error")


def ask(page: Page, said: str, answer: str) -> None:
    page.evaluate("said => { document.getElementById('answer').textContent = ''; ask(said); }", said)
    expect(page.locator("#answer")).to_have_text(answer)
