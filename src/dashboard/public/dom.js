/** Elements are made here and nowhere else: text stays text, and data never becomes markup. */

/** `on…` properties are listeners; null, undefined and false are left out; true is an attribute without a value. */
export function h(tag, props, ...children) {
  return fill(document.createElement(tag), props, children);
}

export function svg(tag, props, ...children) {
  return fill(document.createElementNS("http://www.w3.org/2000/svg", tag), props, children);
}

function fill(element, props, children) {
  for (const [name, value] of Object.entries(props ?? {})) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(
    ...children.flat(Number.POSITIVE_INFINITY).filter((c) => c !== undefined && c !== null && c !== false),
  );
  return element;
}

const ICONS = {
  check: "M3 8.5l3.2 3.2L13 4.8",
  copy: "M5.5 5.5V3h7.5v7.5h-2.5M3 5.5h7.5v7.5H3z",
  out: "M9 3h4v4M13 3L7.5 8.5M11.5 9.5V13H3V4.5h3.5",
  plus: "M8 3v10M3 8h10",
};

export function icon(name) {
  return svg("svg", { class: "icon", viewBox: "0 0 16 16", "aria-hidden": "true" }, svg("path", { d: ICONS[name] }));
}

export function logo() {
  return h("img", { src: "/dashboard/favicon.svg", alt: "", width: 26, height: 26 });
}

/** A link that data brought: followed only where it is http(s), shown as text otherwise. */
export function outLink(url, ...children) {
  const target = URL.parse(String(url));
  if (target === null || !["http:", "https:"].includes(target.protocol)) return h("span", null, children);
  return h("a", { href: target.href, target: "_blank", rel: "noopener noreferrer" }, children);
}

let toastTimer;

/** Says something in passing, to eyes and to screen readers. */
export function announce(message) {
  const toast = document.getElementById("toast");
  toast.textContent = message;
  toast.classList.add("shown");
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => toast.classList.remove("shown"), 4_000);
}

export function copyButton(label, getText, props) {
  const button = h(
    "button",
    { type: "button", class: "small", ...props, onclick: copy },
    icon("copy"),
    h("span", null, label),
  );
  async function copy() {
    const copied = await copyText(getText());
    announce(copied ? "Copied to the clipboard" : "The browser refused to copy: select the text and copy it yourself");
    if (!copied) return;
    button.firstChild.replaceWith(icon("check"));
    setTimeout(() => button.firstChild.replaceWith(icon("copy")), 2_000);
  }
  return button;
}

/** The clipboard API exists on secure origins only; a Worker on a LAN address has none. */
async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = h("textarea", { class: "hidden-text", "aria-hidden": "true" });
    area.value = text;
    (document.querySelector("dialog[open]") ?? document.body).append(area);
    area.select();
    const copied = document.execCommand("copy");
    area.remove();
    return copied;
  }
}

/** A modal dialog; `build(close)` gives its content. The focus goes back to the opener, unless `onClosed` moves it. */
export function openDialog(title, build, onClosed) {
  const closed = () => {
    dialog.remove();
    onClosed?.();
  };
  const dialog = h("dialog", { "aria-labelledby": "dialog-title", onclose: closed });
  const close = () => dialog.close();
  dialog.append(
    h(
      "header",
      null,
      h("h2", { id: "dialog-title" }, title),
      h("button", { type: "button", class: "quiet", "aria-label": "Close", onclick: close }, "✕"),
    ),
    ...[build(close)].flat(),
  );
  document.body.append(dialog);
  dialog.showModal();
}

let fieldCount = 0;

/** A control with its label, and a hint that the control is described by. */
export function field(label, control, hint) {
  const id = `f${++fieldCount}`;
  control.id = id;
  if (hint) control.setAttribute("aria-describedby", `${id}h`);
  return h(
    "div",
    { class: "field" },
    h("label", { for: id }, label),
    control,
    hint ? h("p", { class: "hint", id: `${id}h` }, hint) : null,
  );
}

/** Options are texts, or `[value, text]`. */
export function select(name, options, props) {
  return h(
    "select",
    { name, ...props },
    options.map((o) => h("option", { value: [o].flat()[0] }, [o].flat().at(-1))),
  );
}

export function card(title, props, ...children) {
  const { actions, ...rest } = props ?? {};
  return h(
    "section",
    { class: "card", "aria-label": title, ...rest },
    h("header", null, h("h2", null, title), actions ? h("div", { class: "row" }, actions) : null),
    children,
  );
}

export function badge(kind, text = kind) {
  return h("span", { class: `badge ${kind}` }, text);
}

export function empty(title, text, action) {
  return h("div", { class: "empty" }, h("p", { class: "strong" }, title), h("p", null, text), action);
}

export function json(value) {
  return h("pre", { tabindex: 0 }, typeof value === "string" ? value : JSON.stringify(value, null, 2));
}
