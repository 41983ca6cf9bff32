"""What people recognise of a browser: its name and system, out of the User-Agent it sends.  A hint, nothing more."""

from flask import Flask

# In the order of looking: many browsers name others they descend from.
BROWSERS = (("YaBrowser/", "Yandex"), ("Edg", "Edge"), ("OPR/", "Opera"), ("SamsungBrowser/", "Samsung Internet"),
            ("Firefox/", "Firefox"), ("FxiOS/", "Firefox"), ("CriOS/", "Chrome"), ("Chrome/", "Chrome"),
            ("Safari/", "Safari"))  # fmt: skip
SYSTEMS = (("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Windows", "Windows"),
           ("Mac OS X", "macOS"), ("CrOS", "ChromeOS"), ("Linux", "Linux"))  # fmt: skip


def init_app(app: Flask) -> None:
    """Give templates the filter `device`."""
    app.add_template_filter(device)


def device(agent: str) -> str:
    """«Chrome, Android»; the beginning of what it calls itself when we know none of it."""
    known = [next((name for mark, name in table if mark in agent), "") for table in (BROWSERS, SYSTEMS)]
    return ", ".join(filter(None, known)) or agent[:40]
