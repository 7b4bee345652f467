// The dashboard in the browser: a strategy that asks the integration for its view, and a card with
// a field to paste links into. What others wrote, such as names, is only ever set as text.

const DOMAIN = "qbittorrent_resilient";
const TYPE = "qbittorrent-resilient";
const NAME = "qBittorrent Resilient";
const ADD_CARD = `${TYPE}-add`;
const DOCUMENTATION =
  "https://github.com/qbittorrent-resilient/qbittorrent-resilient/blob/main/docs/dashboard.md";
const REASONS = `component.${DOMAIN}.entity.event.magnets.state_attributes.reason.state`;
const WATCHED = ["entities", "devices"];

// Until the words of the page's language are there, and where a translation lacks one.
const ENGLISH = {
  "dashboard.description": "Servers, VPN and queue at a glance, and a field to paste magnets into.",
  "dashboard.unavailable": "qBittorrent Resilient does not answer. Reload this page in a minute.",
  "add_card.description": "Paste magnet links, and read what became of them.",
};

const text = (hass, key, values) =>
  hass?.localize(`component.${DOMAIN}.config_panel.${key}`, values) || ENGLISH[key] || "";
const loadTexts = (hass) => hass.loadBackendTranslation("config_panel", DOMAIN);
const page = () => document.querySelector("home-assistant")?.hass;

// ---- The view and the dashboard

const notice = (title, content) => ({
  type: "panel",
  cards: [{ type: "empty-state", icon: "mdi:magnet", title, content, content_only: true }],
});

const isOurs = (entity) => entity?.platform === DOMAIN;

const viewStrategy = () => class extends HTMLElement {
  static registryDependencies = WATCHED;
  static noEditor = true;

  // Entities of others come and go all the time; only ours change the view.
  static shouldRegenerate(_config, before, now) {
    if (before.language !== now.language || before.config?.state !== now.config?.state) return true;
    if (before.entities === now.entities && before.devices === now.devices) return false;
    const ours = new Set(
      [...Object.values(before.entities), ...Object.values(now.entities)].filter(isOurs)
    );
    return [...ours].some(
      ({ entity_id: id, device_id: device }) =>
        before.entities[id] !== now.entities[id] || before.devices[device] !== now.devices[device]
    );
  }

  static async generate(_config, hass) {
    if (hass.config?.state === "NOT_RUNNING") return { cards: [{ type: "starting" }] };
    await loadTexts(hass).catch(() => undefined);
    try {
      const { view } = await hass.callWS({ type: `${DOMAIN}/dashboard`, language: hass.language });
      return view ?? notice(NAME, text(hass, "dashboard.not_set_up"));
    } catch {
      return notice(NAME, text(hass, "dashboard.unavailable"));
    }
  }
};

const dashboardStrategy = () => class extends HTMLElement {
  static registryDependencies = [];
  static noEditor = true;
  static configRequired = false;

  static getCreateSuggestions() {
    return { title: NAME, icon: "mdi:magnet" };
  }

  static async generate() {
    const strategy = { type: `custom:${TYPE}` };
    return { title: NAME, views: [{ title: NAME, path: TYPE, icon: "mdi:magnet", strategy }] };
  }
};

// ---- The card with the field

const STYLE = `
  .body { display: flex; flex-direction: column; gap: 12px; padding: 16px; }
  label { color: var(--secondary-text-color); font-size: var(--ha-font-size-s, 12px); }
  textarea {
    box-sizing: border-box; width: 100%; min-height: 64px; padding: 12px; resize: vertical;
    color: var(--primary-text-color); background: var(--input-fill-color, transparent);
    border: 1px solid var(--divider-color); border-radius: var(--ha-border-radius-md, 8px);
    font: inherit; overflow-wrap: anywhere;
  }
  .row { display: flex; flex-wrap: wrap-reverse; align-items: center; gap: 8px 16px; }
  ul { flex: 1 1 160px; margin: 0; padding: 0; list-style: none; overflow-wrap: anywhere; }
  .wrong { color: var(--error-color); }
  button {
    flex: none; margin-inline-start: auto; padding: 10px 20px; cursor: pointer; border: none;
    color: var(--text-primary-color, #fff); background: var(--primary-color);
    border-radius: var(--ha-border-radius-pill, 9999px);
    font: inherit; font-weight: var(--ha-font-weight-medium, 500);
  }
  button:disabled { opacity: 0.5; cursor: default; }
  textarea:focus-visible, button:focus-visible {
    outline: 2px solid var(--primary-color); outline-offset: 2px;
  }
`;

const element = (name, properties = {}, ...children) => {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
};

const addCard = () => class extends HTMLElement {
  #hass;
  #config = {};
  #language;
  #busy = false;
  #label = element("label", { htmlFor: "links" });
  #field = element("textarea", {
    id: "links",
    rows: 2,
    spellcheck: false,
    autocomplete: "off",
    placeholder: "magnet:?xt=urn:btih:…",
  });
  #button = element("button", { type: "button" });
  #result = element("ul", { role: "status", ariaLive: "polite" });
  #card = element("ha-card");

  constructor() {
    super();
    this.#field.setAttribute("autocapitalize", "off");
    this.#field.addEventListener("keydown", (event) => this.#key(event));
    this.#button.addEventListener("click", () => this.#add());
    const row = element("div", { className: "row" }, this.#result, this.#button);
    const body = element("div", { className: "body" }, this.#label, this.#field, row);
    this.#card.append(body);
    const style = element("style", { textContent: STYLE });
    this.attachShadow({ mode: "open" }).append(style, this.#card);
  }

  static getStubConfig() {
    return {};
  }

  setConfig(config) {
    this.#config = config;
    this.#card.header = config.title;
  }

  set hass(hass) {
    this.#hass = hass;
    if (hass.language === this.#language) return;
    this.#language = hass.language;
    loadTexts(hass)
      .catch(() => undefined)
      .then(() => this.#translate());
  }

  getCardSize() {
    return 3;
  }

  getGridOptions() {
    return { columns: 12, min_columns: 6, rows: "auto" };
  }

  #text(key, values) {
    return text(this.#hass, `add_card.${key}`, values);
  }

  #translate() {
    this.#label.textContent = this.#text("links");
    this.#button.textContent = this.#text(this.#busy ? "adding" : "add");
  }

  #key(event) {
    // Shift makes a new line; a pasted text has lines without it.
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    this.#add();
  }

  async #add() {
    if (this.#busy || !this.#hass) return;
    const links = this.#field.value;
    if (!links.trim()) {
      this.#say([{ said: this.#text("nothing"), wrong: true }]);
      this.#field.focus();
      return;
    }
    this.#work(true);
    try {
      const answer = await this.#hass.callService(
        DOMAIN, "add_magnets", { magnets: links }, undefined, false, true
      );
      const lines = this.#lines(answer.response);
      this.#say(lines);
      // What failed stays to be read, and put right; all else is in good hands.
      if (!lines.some((line) => line.wrong) && this.#field.value === links) this.#field.value = "";
    } catch (error) {
      this.#say([{ said: await this.#why(error), wrong: true }]);
    } finally {
      this.#work(false);
    }
  }

  #work(busy) {
    this.#busy = this.#button.disabled = busy;
    this.#card.setAttribute("aria-busy", String(busy));
    if (busy) this.#say([]);
    this.#translate();
  }

  #say(lines) {
    this.#result.replaceChildren(
      ...lines.map(({ said, wrong }) =>
        element("li", { textContent: said, className: wrong ? "wrong" : "" })
      )
    );
  }

  // One line for each thing that became of some magnets, with how many they are.
  #lines({ added = [], queued = [], failed = [], skipped = [] }) {
    const counts = new Map();
    const count = (kind, of = "") => {
      const key = JSON.stringify([kind, of]);
      counts.set(key, (counts.get(key) ?? 0) + 1);
    };
    for (const { status, instance } of added) {
      count(status, status === "already_delivered" ? "" : (instance ?? ""));
    }
    for (const { reason } of queued) {
      count(this.#reason(reason) ? "queued" : "queued_next", this.#reason(reason));
    }
    for (const { reason } of failed) count("failed", this.#reason(reason) || reason);
    for (const _ of skipped) count("skipped");
    return [...counts].map(([key, number]) => {
      const [kind, of] = JSON.parse(key);
      const values = { server: of, reason: of, count: number };
      return { said: this.#text(kind, values), wrong: kind === "failed" };
    });
  }

  #reason(reason) {
    return this.#hass.localize(`${REASONS}.${reason}`) || "";
  }

  async #why(error) {
    const { translation_domain: domain, translation_key: key } = error ?? {};
    if (domain && key) {
      const localize = await this.#hass
        .loadBackendTranslation("exceptions", domain)
        .catch(() => () => "");
      const said = localize(
        `component.${domain}.exceptions.${key}.message`, error.translation_placeholders
      );
      if (said) return said;
    }
    return error?.message || this.#text("no_answer");
  }
};

// ---- What the frontend is told

const offer = (list, entry) => {
  window[list] ??= [];
  if (!window[list].some(({ type, strategyType }) =>
    type === entry.type && strategyType === entry.strategyType)) window[list].push(entry);
};

offer("customStrategies", {
  type: TYPE,
  strategyType: "dashboard",
  name: NAME,
  documentationURL: DOCUMENTATION,
  get description() {
    return text(page(), "dashboard.description");
  },
});
offer("customCards", {
  type: ADD_CARD,
  name: NAME,
  documentationURL: DOCUMENTATION,
  get description() {
    return text(page(), "add_card.description");
  },
});

// Home Assistant 2026.10 replaces the registry of elements, and the class that they extend, while
// this module may be loading already: what was defined before would be unknown afterwards.
const defineElements = () => {
  const makers = {
    [`ll-strategy-dashboard-${TYPE}`]: dashboardStrategy,
    [`ll-strategy-view-${TYPE}`]: viewStrategy,
    [ADD_CARD]: addCard,
  };
  for (const [name, make] of Object.entries(makers)) {
    // Two versions meet where a page was open while the integration was upgraded.
    if (!window.customElements.get(name)) window.customElements.define(name, make());
  }
};

// The dialogs that offer them ask for words at once, so those of the page's language come early.
const loadWords = async () => {
  await window.hassConnection;
  for (let tries = 0; tries < 100 && !page()?.loadBackendTranslation; tries += 1) {
    await new Promise((done) => setTimeout(done, 100));
  }
  if (page()) await loadTexts(page());
};

customElements.whenDefined("home-assistant").then(defineElements);
loadWords().catch(() => undefined);
