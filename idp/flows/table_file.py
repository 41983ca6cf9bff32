"""A file as HR departments keep tables, as rows of cells: CSV, or the first sheet of a workbook (XLSX, ODS)."""

import csv
from datetime import date
from io import BytesIO, StringIO
from zipfile import BadZipFile, ZipFile

from python_calamine import CalamineError, CalamineWorkbook

from policies.order_table import Cell

LARGEST_UNPACKED = 60_000_000  # bytes: a workbook is a ZIP file, and could hold anything
ZIP = b"PK\x03\x04"


class NotATable(ValueError):
    """The bytes are no table that we read; the text says which rule they break."""


def rows_of(data: bytes) -> list[list[Cell]]:
    """The rows, whichever kind of file it is; what it is called is not asked.  Raises `NotATable`."""
    return _of_workbook(data) if data.startswith(ZIP) else _of_csv(data)


def _of_workbook(data: bytes) -> list[list[Cell]]:
    try:
        with ZipFile(BytesIO(data)) as packed:
            if sum(part.file_size for part in packed.infolist()) > LARGEST_UNPACKED:
                raise NotATable("too-large")
        sheet = CalamineWorkbook.from_filelike(BytesIO(data)).get_sheet_by_index(0)
        return [[_plain(cell) for cell in row] for row in sheet.to_python()]
    except (BadZipFile, CalamineError) as error:
        raise NotATable("no-workbook") from error


def _plain(cell: object) -> Cell:
    return cell if isinstance(cell, str | float | bool | date) else str(cell)


def _of_csv(data: bytes) -> list[list[Cell]]:
    text = _decoded(data)
    first = text.partition("\n")[0]
    delimiter = max(";,\t", key=first.count)
    try:
        return [list(row) for row in csv.reader(StringIO(text), delimiter=delimiter, strict=True)]
    except csv.Error as error:
        raise NotATable("no-csv") from error


def _decoded(data: bytes) -> str:
    """UTF-8, or what Windows writes Cyrillic in; a table has no NUL."""
    if b"\0" in data:
        raise NotATable("no-csv")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1251", "replace")
