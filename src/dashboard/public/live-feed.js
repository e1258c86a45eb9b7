import { h } from "./dom.js";
import { followEvents } from "./event-stream.js";
import { problemPanel } from "./problem.js";

const CONNECTING = "Connecting…";
const STATES = { live: "Live", waiting: "Reconnecting…", failed: "Not live" };

/**
 * A list that is read once and followed from there, with the button that a person stops it by. `begin()` reads it and
 * gives the id to follow it from, empty for what the stream itself begins with. `say()` is heard, not seen.
 */
export function liveFeed(address, { signal, begin, onEvent }) {
  const trouble = h("div", null);
  const status = h("p", { class: "visually-hidden", "aria-live": "polite" });
  const button = h(
    "button",
    { type: "button", class: "small live waiting", "aria-pressed": "true", disabled: true, onclick: toggle },
    CONNECTING,
  );
  let events;
  let shown = null;

  function toggle() {
    setFollowing(button.getAttribute("aria-pressed") !== "true");
  }
  function setFollowing(isWanted) {
    button.setAttribute("aria-pressed", String(isWanted));
    button.textContent = isWanted ? CONNECTING : "Paused";
    button.classList.add("waiting");
    if (isWanted) events.resume();
    else events.pause();
  }
  function showState(state, error) {
    button.textContent = STATES[state];
    button.classList.toggle("waiting", state !== "live");
    trouble.replaceChildren(...(error ? [problemPanel(error, followAgain)] : []));
    if (shown !== null && shown !== state) say(STATES[state]);
    shown = state;
  }
  function followAgain() {
    setFollowing(true);
    button.focus();
  }
  function say(text) {
    status.textContent = text;
  }
  async function start() {
    let lastEventId;
    try {
      lastEventId = await begin();
    } catch (error) {
      if (!signal.aborted) trouble.replaceChildren(problemPanel(error, start));
      return;
    }
    if (signal.aborted) return;
    trouble.replaceChildren();
    button.disabled = false;
    events = followEvents(address, { signal, lastEventId, onEvent, onState: showState });
  }
  start();
  return { button, notices: [status, trouble], say };
}
