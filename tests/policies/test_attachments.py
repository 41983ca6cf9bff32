"""Which files are taken with a confirmed task, and how they are called."""

import pytest

from policies.attachments import MOST_BYTES, called, media_type, wrong_with

PDF, JPEG, PNG = b"%PDF-1.7\n", b"\xff\xd8\xff\xe0", b"\x89PNG\r\n\x1a\n"


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (PDF, "application/pdf"),
        (JPEG, "image/jpeg"),
        (PNG, "image/png"),
        (b"GIF89a", None),
        (b" %PDF-", None),
        (b"", None),
    ],
)
def test_what_a_file_is_its_first_bytes_tell(data: bytes, kind: str | None) -> None:
    assert media_type(data) == kind


@pytest.mark.parametrize(
    ("data", "why"),
    [(PDF, None), (PDF.ljust(MOST_BYTES), None), (PDF.ljust(MOST_BYTES + 1), "file-too-big"), (b"", "file-empty"),
     (b"<html>", "file-kind"), (b"MZ", "file-kind")],
)  # fmt: skip
def test_each_file_that_is_not_taken_has_its_reason(data: bytes, why: str | None) -> None:
    assert wrong_with(data) == why


@pytest.mark.parametrize(
    ("name", "shown"),
    [("акт.pdf", "акт.png"), ("../../evil.html", "evil.png"), ("C:\\acts\\1.2.jpg", "1.2.png"),
     (".htaccess", "htaccess.png"),
     ("", "file.png"), ('a"\r\nX: y.png', "aX y.png"), ("x" * 300, "x" * 100 + ".png"), ("no ending", "no ending.png")],
)  # fmt: skip
def test_a_name_is_only_a_name_and_ends_as_what_the_file_is(name: str, shown: str) -> None:
    assert called(name, "image/png") == shown
