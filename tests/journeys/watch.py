"""What no page may do, whatever the journey is about."""

from playwright.sync_api import BrowserContext, ConsoleMessage, Response, WebError

TOLD_TWICE = "Failed to load resource"  # the response itself is looked at
BUSY = 503  # said on purpose, when a journey makes the service busy


class Watch:
    """Collects script and console errors (CSP refusals are among them), missing files and failures of the service."""

    def __init__(self, context: BrowserContext) -> None:
        self.seen: list[str] = []
        context.on("console", self._console)
        context.on("weberror", self._error)
        context.on("response", self._response)

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not message.text.startswith(TOLD_TWICE):
            self.seen.append(f"console: {message.text}")

    def _error(self, error: WebError) -> None:
        self.seen.append(f"script: {error.error}")

    def _response(self, response: Response) -> None:
        is_page = response.request.resource_type == "document"
        if response.status >= (500 if is_page else 400) and response.status != BUSY:
            self.seen.append(f"{response.status}: {response.url}")
