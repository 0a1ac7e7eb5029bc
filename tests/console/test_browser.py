"""The console in a real browser, over a real service with requests under way (Debian: chromium and chromium-driver)."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest
from selenium import webdriver
from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

from tests.deploy.service import Service

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from selenium.webdriver.remote.webelement import WebElement

pytestmark = pytest.mark.slow

WITHIN = 20


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Start the service, a Valkey and requests that never end."""
    with Service(tmp_path_factory.mktemp("service")) as service:
        yield service


@pytest.fixture(scope="module")
def chromium() -> Iterator[webdriver.Chrome]:
    """Start a browser without a window; skip where there is none."""
    browser, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if browser is None or driver is None:
        pytest.skip("chromium or chromedriver is not installed (Debian: apt-get install chromium chromium-driver)")
    options = webdriver.ChromeOptions()
    options.binary_location = browser
    for flag in (
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--window-size=1400,1200",
    ):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    started = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
    yield started
    started.quit()


@pytest.fixture
def page(chromium: webdriver.Chrome, service: Service) -> webdriver.Chrome:
    """Open the console anew."""
    chromium.get(f"http://127.0.0.1:{service.admin}/")
    return chromium


def until(page: webdriver.Chrome, holds: Callable[[webdriver.Chrome], object]) -> None:
    """Wait until something is on the page, which renews itself."""
    WebDriverWait(page, WITHIN, ignored_exceptions=[StaleElementReferenceException]).until(holds)


def all_of(page: webdriver.Chrome, selector: str) -> list[WebElement]:
    """Find elements."""
    return page.find_elements(By.CSS_SELECTOR, selector)


def text(page: webdriver.Chrome, selector: str) -> str:
    """Return the text of an element."""
    return page.find_element(By.CSS_SELECTOR, selector).text


def test_the_state_is_shown(page: webdriver.Chrome) -> None:
    """Readiness, generation, Redis, rates and durations are figures within seconds."""
    until(page, lambda it: text(it, "#ready") == "ready")
    until(page, lambda it: text(it, "#rate") not in {"", "0"} and text(it, "#p99").endswith("s"))
    assert "generation\n1" in text(page, "#facts")
    assert (text(page, "#limiter"), text(page, "#limiter-note")) == ("redis", "Redis is connected")
    assert all_of(page, "#chart rect")
    assert not page.find_element(By.ID, "faults").is_displayed()


def test_policies_are_shown_with_their_rules_and_counts(page: webdriver.Chrome) -> None:
    """A document opens by the keyboard, stays open, and each rule and limit says what it said."""
    until(page, lambda it: all_of(it, "#policies summary"))
    page.execute_script("document.querySelector('#policies summary').focus()")
    page.switch_to.active_element.send_keys(" ")
    until(page, lambda it: "no-delete" in text(it, "#policies tbody") and "deny" in text(it, "#policies tbody"))
    assert [row.text.split()[0] for row in all_of(page, "#policies tbody tr")] == ["no-delete", "no-post", "all", "few"]
    shown = text(page, "#policies")
    assert {"tier: gold", "owner: team-shop", "ticket: OPS-1"} <= set(shown.splitlines())
    until(page, lambda it: text(it, "#policies") != shown)
    assert page.switch_to.active_element.tag_name == "summary"


def test_decisions_appear_as_they_are_made(page: webdriver.Chrome) -> None:
    """The newest is on top, and the filters show only what they name."""
    until(page, lambda it: len(all_of(it, "#decisions tr")) > 5)
    times = [row.text.split()[0] for row in all_of(page, "#decisions tr td:first-child")]
    assert times == sorted(times, reverse=True)
    page.find_element(By.CSS_SELECTOR, "[data-decision=deny]").click()
    until(page, lambda it: len(all_of(it, "#decisions tr")) > 2)
    assert {row.text.split()[0] for row in all_of(page, "#decisions .pill")} == {"deny"}
    page.find_element(By.CSS_SELECTOR, "[data-decision='']").click()
    page.find_element(By.ID, "text").send_keys("no-delete")
    until(page, lambda it: len(rows := all_of(it, "#decisions tr")) > 2 and all("DELETE" in row.text for row in rows))


def test_a_pause_ends_the_watching(page: webdriver.Chrome) -> None:
    """Paused, the list stands still; resumed, it goes on."""
    until(page, lambda it: all_of(it, "#decisions tr"))
    page.find_element(By.ID, "pause").click()
    assert text(page, "#pause") == "Resume"
    count = len(all_of(page, "#decisions tr"))
    generation = text(page, "#denied-total")
    until(page, lambda it: text(it, "#denied-total") != generation)
    assert len(all_of(page, "#decisions tr")) == count
    page.find_element(By.ID, "pause").click()
    until(page, lambda it: len(all_of(it, "#decisions tr")) > count)


def test_who_is_denied_most_is_shown(page: webdriver.Chrome) -> None:
    """Caller, rule and number, the most denied first."""
    until(page, lambda it: len(all_of(it, "#denied tr")) >= 2)
    assert "all/no-delete" in text(page, "#denied tr:first-child")
    assert {"one", "127.0.0.1"} >= {row.text.split()[0] for row in all_of(page, "#denied tr td:first-child")}


def test_a_candidate_is_shown_with_what_it_would_change(page: webdriver.Chrome) -> None:
    """How many requests it would newly deny, by which rule instead of which, and the latest of them."""
    until(page, lambda it: all_of(it, "#disagreements tr"))
    until(
        page, lambda it: "newly denied" in text(it, "#candidate-outcomes") and "same" in text(it, "#candidate-outcomes")
    )
    shown = text(page, "#disagreements tr:first-child")
    assert "all/all" in shown
    assert "all/no-post" in shown
    assert "POST /" in shown
    assert not page.find_element(By.ID, "candidate-faults").is_displayed()


def test_a_request_that_is_typed_is_explained(page: webdriver.Chrome, service: Service) -> None:
    """From the form to the tree: who settled it, the value of each part, what it would have needed; no credential."""
    page.get(f"http://127.0.0.1:{service.admin}/explain")
    page.find_element(By.NAME, "method").clear()
    page.find_element(By.NAME, "method").send_keys("DELETE")
    page.find_element(By.NAME, "url").send_keys("https://api.example.com/orders/7")
    page.find_element(By.NAME, "headers").send_keys("x-tenant: acme\nauthorization: Basic canary-5ecret")
    page.find_element(By.CSS_SELECTOR, "#asked button").click()
    until(page, lambda it: "deny" in text(it, "#headline"))
    shown = text(page, "#explained")
    assert "To be allowed it would have needed" in shown
    assert "no-delete" in shown
    assert 'request.method == "DELETE" = true' in shown
    assert "canary-5ecret" not in page.page_source.replace("authorization: Basic canary-5ecret", "")
    assert [line for line in page.get_log("browser") if line["level"] == "SEVERE"] == []


def test_a_live_decision_is_explained_by_its_id(page: webdriver.Chrome) -> None:
    """From the list of decisions to the explanation of one of them, as it is on record."""
    until(page, lambda it: all_of(it, "#decisions tr"))
    page.find_element(By.ID, "pause").click()
    link = all_of(page, "#decisions tr a")[-1]
    decision = link.get_attribute("href").partition("id=")[2]
    link.click()
    until(page, lambda it: all_of(it, "#answer:not([hidden])"))
    assert page.find_element(By.CSS_SELECTOR, "#known input").get_attribute("value") == decision
    assert "Policy all" in text(page, "#explained")


def test_an_explanation_that_fails_says_why(page: webdriver.Chrome, service: Service) -> None:
    """A decision nobody recorded, in the words of the service."""
    page.get(f"http://127.0.0.1:{service.admin}/explain?id=nosuch")
    until(page, lambda it: "has no decision nosuch" in text(it, "#said"))
    assert not page.find_element(By.ID, "answer").is_displayed()
    assert [line["level"] for line in page.get_log("browser") if "404" not in line["message"]] == []


def test_nothing_is_asked_elsewhere_and_nothing_is_wrong(page: webdriver.Chrome, service: Service) -> None:
    """The policy of the page refuses nothing it needs; every request went to the port itself; no error was logged."""
    until(page, lambda it: all_of(it, "#decisions tr"))
    asked = page.execute_script("return performance.getEntriesByType('resource').map((one) => one.name)")
    assert asked
    assert all(url.startswith(f"http://127.0.0.1:{service.admin}/") for url in asked)
    assert [line for line in page.get_log("browser") if line["level"] == "SEVERE"] == []


def test_the_page_is_for_everyone(page: webdriver.Chrome) -> None:
    """Controls have names, the page one title and a language, tables have heads; it fits a phone and a dark room."""
    until(page, lambda it: all_of(it, "#decisions tr"))
    shown = [one for one in all_of(page, "button, input, [role=img], [role=region], section") if one.is_displayed()]
    assert [one.get_attribute("outerHTML") for one in shown if not one.accessible_name] == []
    assert len(all_of(page, "h1")) == 1
    assert page.find_element(By.TAG_NAME, "html").get_attribute("lang") == "en"
    assert all(one.find_elements(By.TAG_NAME, "th") for one in all_of(page, "table"))
    light = page.execute_script("return getComputedStyle(document.body).backgroundColor")
    dark = [{"name": "prefers-color-scheme", "value": "dark"}]
    page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": dark})
    page.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride", {"width": 390, "height": 900, "deviceScaleFactor": 1, "mobile": True}
    )
    assert page.execute_script("return getComputedStyle(document.body).backgroundColor") != light
    assert page.execute_script("return document.documentElement.scrollWidth <= innerWidth")
    page.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
