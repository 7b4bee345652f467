"""The look at dialogs finds what it is for: each fault is shown to it in a page of its own."""

from playwright.async_api import Browser, Page
import pytest

from .look import problems

FIELD = """
<ha-form id=form></ha-form>
<script>
const form = document.getElementById('form').attachShadow({{mode: 'open'}});
form.innerHTML = '<ha-selector></ha-selector>';
Object.assign(form.firstChild, {{label: '{label}', name: 'save_path'}});
form.firstChild.attachShadow({{mode: 'open'}}).innerHTML = '<i>{label}</i><p>{helper}</p>';
</script>
"""
ROW = "<ha-settings-row><b slot=heading>Tags</b><i slot=description>{}</i></ha-settings-row>"
NARROW = "<button style='width: 40px; overflow: hidden; white-space: nowrap'>{}</button>"


async def look_at(page: Page, html: str) -> list[str]:
    """Return what is found in a page."""
    await page.set_content(f"<main>{html}</main>")
    return await problems(page.locator("main"))


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        pytest.param("", "nothing is shown", id="nothing"),
        pytest.param(
            "<p>component.qbittorrent_resilient.config.step.user.title</p>", "raw key", id="path"
        ),
        pytest.param("<p>ui.panel.config.integrations</p>", "raw key", id="key of the frontend"),
        pytest.param("<label>vpn_targets</label>", "raw key: vpn_targets", id="name of a field"),
        pytest.param("<p>Log in to {name} again</p>", "raw key", id="placeholder"),
        pytest.param(NARROW.format("Add another server"), "cut off", id="button too narrow"),
        pytest.param(
            NARROW.format("<span>Add another server</span>"), "cut off", id="text in a button"
        ),
        pytest.param(
            "<p style='height: 8px; overflow: hidden'>Too high</p>", "cut off", id="too low"
        ),
        pytest.param(FIELD.format(label="Save path", helper=""), "no description", id="no helper"),
        pytest.param(ROW.format(""), "no description: Tags", id="row without description"),
        pytest.param(FIELD.format(label="save_path", helper="A folder."), "no label", id="no text"),
    ],
)
async def test_each_fault_is_found(browser: Browser, html: str, expected: str) -> None:
    page = await browser.new_page()
    found = await look_at(page, html)
    await page.close()
    assert any(expected in one for one in found), found


@pytest.mark.parametrize(
    "html",
    [
        pytest.param(FIELD.format(label="Save path", helper="A folder."), id="field"),
        pytest.param(ROW.format("One per line."), id="row"),
        pytest.param("<button>Add another server</button>", id="button"),
        pytest.param("<p hidden>vpn_targets</p><p>Seen</p>", id="hidden"),
        pytest.param(
            "<div style='height: 20px; overflow: auto'><p>One</p><p>Two</p></div>", id="scrolls"
        ),
        pytest.param("<p>It starts with <code>qbt_key</code>.</p>", id="code"),
    ],
)
async def test_what_is_well_is_let_be(browser: Browser, html: str) -> None:
    page = await browser.new_page()
    found = await look_at(page, html)
    await page.close()
    assert found == []
