import { ApiError } from "./api.js";
import { h } from "./dom.js";
import { attemptsTable } from "./tables.js";

const ADVICE = {
  VALIDATION_FAILED: "Correct what is named below and send it again.",
  ALREADY_DEPLOYED: "Nothing to do: the agent is live at its endpoint.",
  UNAUTHENTICATED: "Sign in with a key that is neither expired nor revoked.",
  FORBIDDEN: "Sign in with a key that has this scope, or ask an admin for one.",
  NOT_FOUND: "Check the address. What belongs to another owner is not shown either.",
  DEPLOY_IN_PROGRESS: "Somebody else is deploying it. This page follows along.",
  DUPLICATE: "Choose another one.",
  PAYLOAD_TOO_LARGE: "Send less.",
  RATE_LIMITED: "Wait a moment, then try again.",
  UPSTREAM_FAILED: "Nothing was deployed. Try again; if it stays, the target's operator has to look.",
  UPSTREAM_TIMEOUT: "The target was too slow. Deploying again is safe: it finds the same agent.",
  SEARCH_UNAVAILABLE: "Try again soon, or put documents of your own into the index.",
  TARGET_NOT_CONFIGURED: "An operator has to set what is missing.",
  POLICY_REFUSED: "Change what the step asks for, or the server's policy.",
  RUN_FAILED: "Look at the step that failed: it says why.",
  RUN_TIMEOUT: "Look at the steps that took long.",
  OVERLOADED: "Try again in a few seconds.",
  STORAGE_UNAVAILABLE: "Try again in a few seconds.",
  NETWORK: "Check that the Worker runs and that you are online, then try again.",
};
const ADVICE_OTHERWISE = "Try again. If it stays, tell the operator the request id.";

const BUG = { code: "PAGE_ERROR", detail: "This page made a mistake." };

/** A failure for a person: what happened, what to do, and what to tell an operator. Bugs go to the console as well. */
export function problemPanel(error, retry) {
  const isApi = error instanceof ApiError;
  if (!isApi) reportError(error);
  const { detail, code, requestId, errors = [], attempts, rule, step } = isApi ? error.problem : BUG;
  const wait = error.retryAfterSeconds ? ` The API asks for ${error.retryAfterSeconds} s.` : "";
  return h(
    "div",
    { class: "problem", role: "alert" },
    h("p", { class: "strong" }, detail),
    h("p", null, (ADVICE[code] ?? ADVICE_OTHERWISE) + wait),
    errors.length > 0
      ? h(
          "ul",
          null,
          errors.map((e) => h("li", null, e.path ? h("code", null, e.path) : null, e.path ? " " : null, e.message)),
        )
      : null,
    attempts ? attemptsTable(attempts) : null,
    h(
      "p",
      { class: "row meta" },
      h("code", null, code),
      step ? h("span", null, "Step ", h("code", null, step)) : null,
      rule ? h("span", null, "Rule ", h("code", null, rule)) : null,
      requestId ? h("span", null, "Request ", h("code", null, requestId)) : null,
      retry ? h("button", { type: "button", class: "small", onclick: retry }, "Try again") : null,
    ),
  );
}

/** Shows what `fetch` brings, a placeholder until then, the problem and a way to repeat where it fails. */
export async function fillFrom(container, signal, fetch, render) {
  container.replaceChildren(loading());
  try {
    const data = await fetch();
    if (!signal.aborted) container.replaceChildren(...[render(data)].flat());
  } catch (error) {
    if (signal.aborted) return;
    container.replaceChildren(problemPanel(error, () => fillFrom(container, signal, fetch, render)));
  }
}

function loading() {
  return h(
    "div",
    { class: "loading", "aria-busy": "true" },
    h("span", { class: "visually-hidden" }, "Loading"),
    [1, 2, 3].map(() => h("i", null)),
  );
}

/** Runs a button's work once at a time: the button says so, and the problem of a failure goes into `slot`. */
export async function whileBusy(button, slot, work) {
  if (button.getAttribute("aria-disabled") === "true") return;
  button.setAttribute("aria-disabled", "true");
  slot.replaceChildren();
  try {
    await work();
  } catch (error) {
    if (error.name !== "AbortError") slot.replaceChildren(problemPanel(error));
  } finally {
    button.removeAttribute("aria-disabled");
  }
}

/** A list that grows by "Load more". `render` is given one item; `whenEmpty` stands where there is none. */
export function pagedList({ tag, props, signal, fetchPage, render, whenEmpty }) {
  const box = h("div", null);
  const list = h(tag, props);
  const slot = h("div", null);
  fillFrom(
    box,
    signal,
    () => fetchPage(),
    (page) => {
      list.replaceChildren();
      add(page);
      return page.items.length === 0 ? whenEmpty : [list, slot];
    },
  );
  function add(page) {
    list.append(...page.items.map(render));
    slot.replaceChildren();
    if (page.nextCursor !== null) slot.append(moreButton(page.nextCursor));
  }
  function moreButton(cursor) {
    const trouble = h("div", null);
    const button = h("button", { type: "button" }, "Load more");
    button.addEventListener("click", () =>
      whileBusy(button, trouble, async () => {
        const page = await fetchPage(cursor);
        const first = list.children.length;
        add(page);
        list.children[first]?.querySelector("a, button")?.focus();
      }),
    );
    return h("div", { class: "more" }, button, trouble);
  }
  return box;
}
