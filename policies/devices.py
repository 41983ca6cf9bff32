"""What people recognise of a device: browser and system, out of the User-Agent it sends.  Regulation 5.4, 6.5.

Owns the words for the handful that are common.  A hint, nothing more: a program may call itself what it likes.
"""

# In the order of looking: many browsers name others they descend from.
BROWSERS = (("YaBrowser/", "Yandex"), ("Edg", "Edge"), ("OPR/", "Opera"), ("SamsungBrowser/", "Samsung Internet"),
            ("Firefox/", "Firefox"), ("FxiOS/", "Firefox"), ("CriOS/", "Chrome"), ("Chrome/", "Chrome"),
            ("Safari/", "Safari"))  # fmt: skip
SYSTEMS = (("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Windows", "Windows"),
           ("Mac OS X", "macOS"), ("CrOS", "ChromeOS"), ("Linux", "Linux"))  # fmt: skip


def device(agent: str) -> str:
    """«Chrome, Android», without versions; empty for what none of the words fits."""
    known = [next((name for mark, name in table if mark in agent), "") for table in (BROWSERS, SYSTEMS)]
    return ", ".join(filter(None, known))
