"""A look at a dialog with the eyes of a user: are its texts texts, whole, and is all explained?"""

import asyncio
import time

from playwright.async_api import Locator

SECONDS = 4.0
"""A dialog comes up in pieces, so it may look wrong for a moment."""

# Everything within an element, through open shadow roots; and what a user can see of it.
_WALK = """
const walk = (root, see) => {
  for (const node of root.children ?? []) { see(node); walk(node, see); }
  if (root.shadowRoot) walk(root.shadowRoot, see);
};
const seen = (node) => node.checkVisibility({visibilityProperty: true, opacityProperty: true});
const own = (node) => [...node.childNodes].filter((one) => one.nodeType === Node.TEXT_NODE)
  .map((one) => one.textContent.trim()).filter(Boolean).join(' ');
const skipped = new Set(['style', 'script', 'svg', 'textarea', 'code', 'slot']);
const texts = (root) => {
  const found = [];
  const see = (node) => {
    if (!skipped.has(node.localName) && own(node) && seen(node)) found.push(node);
  };
  see(root);
  walk(root, see);
  return found;
};
"""

LOOK = f"""(dialog, reach) => {{
{_WALK}
const problems = [];
const rawKey = /component\\.[a-z0-9_]+\\.|^ui\\.[a-z-]+\\.|\\[%key|\\{{[a-z_]+\\}}/;
const name = /^[a-z0-9]+(_[a-z0-9]+)+$/;
const shown = texts(dialog);
if (!shown.length) problems.push('nothing is shown');
for (const node of shown) {{
  const text = own(node);
  if (rawKey.test(text) || name.test(text)) problems.push(`raw key: ${{text}}`);
  // The text itself, then the button or label that it is in: either may cut it off.
  for (let box = node, up = 0; box instanceof Element && up < reach; up += 1) {{
    const style = getComputedStyle(box);
    const cuts = (way) => way === 'hidden' || way === 'clip';
    const wide = cuts(style.overflowX) && box.scrollWidth > box.clientWidth + 1;
    const high = cuts(style.overflowY) && box.scrollHeight > box.clientHeight + 1;
    if (style.display !== 'inline' && box.clientWidth > 1 && (wide || high)) {{
      problems.push(`cut off: ${{text}}`);
      break;
    }}
    box = box.assignedSlot ?? box.parentElement ?? box.getRootNode().host;
  }}
}}
// A field is a selector in a form, or a row of what an action or a blueprint asks for.
walk(dialog, (field) => {{
  if (field.localName !== 'ha-settings-row' || !seen(field)) return;
  for (const part of ['heading', 'description']) {{
    const slot = field.querySelector(`:scope > [slot=${{part}}]`);
    if (!slot || !texts(slot).length) problems.push(`no ${{part}}: ${{texts(field).map(own)}}`);
  }}
}});
walk(dialog, (field) => {{
  if (field.localName !== 'ha-selector' || !seen(field)) return;
  if (field.getRootNode().host?.localName !== 'ha-form') return;
  const label = (field.label ?? '').trim();
  const key = field.name ?? '';
  if (!label || label === key) problems.push(`no label: ${{key}}`);
  const said = texts(field).map((node) => own(node).replace(/\\*$/, '').trim());
  const more = said.filter((text) => text !== label && text !== `Add ${{label}}`);
  if (!more.some((text) => text.includes(' '))) problems.push(`no description: ${{label || key}}`);
}});
return problems;
}}"""

TEXTS = f"(root) => {{ {_WALK} return texts(root).map(own); }}"


async def problems(part: Locator, reach: int = 3) -> list[str]:
    """Return what is wrong with what is shown; `reach` boxes around a text may cut it off."""
    found: list[str] = await part.evaluate(LOOK, reach)
    return found


async def look(part: Locator, reach: int = 3) -> None:
    """Fail if something is wrong with what is shown, once it has come up."""
    end = time.monotonic() + SECONDS
    while found := await problems(part, reach):
        assert time.monotonic() < end, found
        await asyncio.sleep(0.1)


async def texts(root: Locator) -> list[str]:
    """Return all that can be read within an element, shadow roots included."""
    found: list[str] = await root.evaluate(TEXTS)
    return found
