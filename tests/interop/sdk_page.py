"""Pages with Amazon's SDKs, as the tests drive them."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, Page

from .browser import FAKE_DEVICES, chromium
from .javascript import pages
from .service import Service

CHANNEL = "demo"
both_schemes = pytest.mark.parametrize("scheme", ["https", "http"])


@contextlib.asynccontextmanager
async def browser_with(service: Service) -> AsyncIterator[tuple[Browser, str]]:
    """A browser that trusts the service, and the address of the page."""
    arguments = (*FAKE_DEVICES, *service.browser_arguments)
    async with pages() as address, chromium(*arguments) as browser:
        yield browser, address


@contextlib.asynccontextmanager
async def peer_page(browser: Browser, address: str) -> AsyncIterator[Page]:
    """A page with the SDKs; what it logged is told with whatever fails in it."""
    page = await browser.new_page()
    log: list[str] = []
    page.on("console", lambda message: log.append(message.text))
    page.on("pageerror", lambda error: log.append(str(error)))
    await page.goto(address)
    await page.wait_for_function("window.ready")
    try:
        yield page
    except Exception as error:
        error.add_note("\n".join(log))
        raise


async def view(page: Page, service: Service, client_id: str, **options: object) -> None:
    arguments = [service.settings, CHANNEL, client_id, options]
    await page.evaluate("(arguments) => view(...arguments)", arguments)


async def call(
    page: Page, service: Service, operation: str, **members: object
) -> dict[str, object]:
    """What the AWS SDK makes of the answer to an operation of the control plane."""
    answer: dict[str, object] = await page.evaluate(
        "([settings, ...call]) => new Service(settings).refused(...call)",
        [service.settings, operation, members],
    )
    return answer


def member(outcome: dict[str, object], name: str) -> object:
    """A member of an answer; a refusal has none."""
    answer = outcome.get("answer")
    assert isinstance(answer, dict), outcome
    return answer[name]
