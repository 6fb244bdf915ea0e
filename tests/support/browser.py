"""Headless Chromium with the network closed: every request beyond this machine is refused."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.support.require import require_program

WAIT_MILLISECONDS = 90_000
ARGUMENTS = [
    "--no-sandbox",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--ignore-gpu-blocklist",
]


class Page:
    """A logged-in page; remembers what it asked of the outside."""

    def __init__(self, page: Any, address: str) -> None:
        self._page = page
        self._address = address
        self.outside_requests: list[str] = []
        page.context.route("**/*", self._only_this_machine)

    def _only_this_machine(self, route: Any) -> None:
        url = route.request.url
        if url.startswith((self._address, "data:", "blob:")):
            route.continue_()
        else:
            self.outside_requests.append(url)
            route.abort()

    def login(self, username: str, password: str) -> None:
        self._page.goto(f"{self._address}/hub/login")
        self._page.fill("#username_input", username)
        self._page.fill("#password_input", password)
        self._page.click("#login_submit")
        self._page.wait_for_load_state()

    def open(self, path: str, *, status: int = 200) -> None:
        answer = self._page.goto(self._address + path, timeout=WAIT_MILLISECONDS)
        assert answer.status == status, answer.status

    def wait_for(self, selector: str) -> None:
        self._page.wait_for_selector(selector, timeout=WAIT_MILLISECONDS)

    def choose(self, label: str, option: str) -> None:
        box = self._page.locator(f".widget-dropdown:has(label:text-is('{label}')) select")
        box.select_option(label=option)

    def text(self) -> str:
        return str(self._page.inner_text("body"))

    def screenshot(self, path: Path) -> None:
        self._page.screenshot(path=str(path), full_page=True)

    def colors_of_map(self) -> int:
        """Number of different colors that the map's canvas shows, once it has drawn some."""
        import io

        from PIL import Image

        canvas = self._page.locator("canvas").last
        colors = 0
        for _ in range(40):
            picture = Image.open(io.BytesIO(canvas.screenshot())).convert("RGB")
            counted = picture.getcolors(maxcolors=1 << 20) or []
            colors = sum(count > 20 for count, _ in counted)
            if colors > 3:
                break
            self._page.wait_for_timeout(1000)
        return colors


@contextmanager
def browser_page(address: str, username: str, password: str) -> Iterator[Page]:
    """A page of headless Chromium, logged in to the hub at `address`."""
    from playwright.sync_api import sync_playwright

    chromium = require_program("chromium", "chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        try:
            opened = browser.new_page(viewport={"width": 1280, "height": 1000})
            page = Page(opened, address)
            page.login(username, password)
            yield page
        finally:
            browser.close()
