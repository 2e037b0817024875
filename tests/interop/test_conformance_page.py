"""The page of a conformance run, in a browser: nothing sticks out, and its filters work."""

from __future__ import annotations

import pathlib

import pytest
from playwright.async_api import Page

from conformance.reports import to_html
from tests.conformance.reports.report_of_a_run import REPORT

from .browser import chromium

pytestmark = pytest.mark.interop

WIDTHS = (1280, 400)
VISIBLE = "[...document.querySelectorAll('.row')].filter((row) => !row.hidden).map((row) => row.id)"


async def opened(page: Page, folder: pathlib.Path, fragment: str = "") -> list[str]:
    """The page, and what the browser complains of."""
    path = folder / "report.html"
    path.write_bytes(to_html(REPORT, repeat=lambda row_id: f"hairpin --only {row_id} " + "x" * 300))
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("dialog", lambda dialog: complaints.append(dialog.message))
    await page.goto(f"{path.as_uri()}{fragment}")
    return complaints


@pytest.mark.parametrize("width", WIDTHS)
async def test_nothing_sticks_out(tmp_path: pathlib.Path, width: int) -> None:
    async with chromium() as browser:
        page = await browser.new_page(viewport={"width": width, "height": 900})
        complaints = await opened(page, tmp_path)
        await page.click("#toggle")

        assert await page.evaluate("document.documentElement.scrollWidth") == width
        assert complaints == []


async def test_rows_are_filtered(tmp_path: pathlib.Path) -> None:
    async with chromium() as browser:
        page = await browser.new_page()
        await opened(page, tmp_path)

        assert len(await page.evaluate(VISIBLE)) == 4
        await page.click(".tiles [data-verdict=FAIL]")
        assert await page.evaluate(VISIBLE) == ["TURN-ALLOC-01"]
        await page.click(".tiles [data-verdict=SKIP]")
        assert await page.evaluate(VISIBLE) == ["COD-HDR-02", "TURN-ALLOC-01"]
        await page.click("button[type=reset]")
        await page.fill("#search", "SOFTWARE base")
        assert await page.evaluate(VISIBLE) == ["STUNS-BASE-06"]
        assert await page.inner_text("#shown") == "1 of 4 rows"
        await page.fill("#search", "no such row")
        assert await page.is_visible("#nothing")
        await page.click("button[type=reset]")
        await page.click(".groups [data-group=COD-HDR]")
        assert await page.evaluate(VISIBLE) == ["COD-HDR-01", "COD-HDR-02"]
        await page.select_option("#group", "")
        await page.select_option("#level", "SHOULD")
        assert await page.evaluate(VISIBLE) == ["STUNS-BASE-06"]


async def test_a_link_opens_its_row(tmp_path: pathlib.Path) -> None:
    async with chromium() as browser:
        page = await browser.new_page()
        await opened(page, tmp_path, "#COD-HDR-01")

        assert await page.is_visible("#COD-HDR-01 .body")
        assert not await page.is_visible("#COD-HDR-02 .body")
