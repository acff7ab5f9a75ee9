"""Takes the pictures of the README from the demo that runs here: `.venv/bin/python -m tools.pictures`.

Start it with `python3 run.py` first. The pictures go to docs/pictures/, with a palette, small enough for a README.
"""

import io
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urljoin

from PIL import Image
from playwright.sync_api import Browser, Locator, Page, sync_playwright

from tools.devstack import system
from tools.devstack.console import die
from tools.devstack.paths import ROOT, lasting_home

FOLDER = ROOT / "docs" / "pictures"
LARGEST = 200 * 1024
MAIL_SECONDS = 90
DESK, PHONE = (1280, 800), (390, 780)


def main() -> int:
    origin = str(lasting_home().owner().get("url", "")).rstrip("/") or die("Start the demo: python3 run.py")
    FOLDER.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=system.browser(), args=["--no-sandbox"])
        for scheme, take in (("light", take_light), ("dark", take_dark)):
            with page_of(browser, DESK, scheme) as page:
                take(page, sign_in(page, origin))
        with page_of(browser, PHONE, "light") as page:
            take_pay_page(page, origin)
        browser.close()
    return 0


@contextmanager
def page_of(browser: Browser, size: tuple[int, int], scheme: str) -> Iterator[Page]:
    width, height = size
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if scheme == "dark" else "light",
        reduced_motion="reduce",
        locale="en-GB",
    )
    yield context.new_page()
    context.close()


def sign_in(page: Page, origin: str) -> str:
    """As the first person of the demo; the address of their home page."""
    password, member, *_ = lasting_home().sign_in.read_text(encoding="utf-8").splitlines()
    page.goto(f"{origin}/sign-in/")
    page.get_by_label("E-mail").fill(member.split()[1])
    page.get_by_label("Password").fill(password.split()[-2])
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/o/*/", wait_until="networkidle")
    return page.url.rstrip("/")


def take_light(page: Page, home: str) -> None:
    keep(page, "home")
    page.goto(f"{home}/ageing/", wait_until="networkidle")
    keep(page, "ageing")
    page.goto(f"{home}/invoices/?state=overdue", wait_until="networkidle")
    for href in [link.get_attribute("href") for link in page.locator("tbody a.t-id").all()]:
        page.goto(urljoin(home, href), wait_until="networkidle")
        if page.get_by_role("table", name="Payments and credits").count():  # a part of it is paid
            break
    keep(page, "invoice")


def take_dark(page: Page, home: str) -> None:
    """The run with the most invoices among the newest."""
    page.goto(f"{home}/runs/", wait_until="networkidle")
    rows = page.locator("tbody tr").all()
    click(page, max(rows, key=lambda row: int(row.locator("td.b").inner_text())).locator("a.t-id"))
    keep(page, "run-dark")


def click(page: Page, link: Locator) -> None:
    link.click()
    page.wait_for_load_state("networkidle")


def take_pay_page(page: Page, origin: str) -> None:
    """By the link in a mail, as its customer would; the newest open invoice is sent once more for it."""
    home = sign_in(page, origin)
    page.goto(f"{home}/invoices/?state=open", wait_until="networkidle")
    click(page, page.locator("tbody a.t-id").first)
    click(page, page.get_by_role("button", name="Send again"))
    for _ in range(MAIL_SECONDS):
        page.goto(f"{origin}/outbox/")
        if (mail := page.locator("main a[href^='/outbox/']").first).count():
            mail.click()
            break
        page.wait_for_timeout(1000)
    if not (found := re.search(r"/pay/[\w-]{20,}/", page.content())):
        die("No mail with a link to pay came.")
    page.goto(f"{origin}{found[0]}", wait_until="networkidle")
    keep(page, "pay-phone")


def keep(page: Page, name: str) -> None:
    """The picture with 256 colours at most."""
    picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    small = picture.quantize(256, dither=Image.Dither.NONE)
    small.save(FOLDER / f"{name}.png", optimize=True)
    size = (FOLDER / f"{name}.png").stat().st_size
    print(f"{name}.png: {size // 1024} KiB")
    if size > LARGEST:
        die(f"{name}.png is larger than {LARGEST // 1024} KiB.")


if __name__ == "__main__":
    sys.exit(main())
