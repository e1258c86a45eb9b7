import { ApiError, ownerParam, path, request } from "./api.js";
import { announce, badge, field, h, json } from "./dom.js";
import { ms } from "./format.js";
import { problemPanel, whileBusy } from "./problem.js";
import { runTrace } from "./trace.js";
import { sampleOf } from "./try-it.js";

/** Runs a server's graph as it is written, deployed or not, and shows the answer and what each step did. */
export function testRun(server, signal) {
  const input = h("textarea", { rows: 6, class: "mono", spellcheck: "false", autocomplete: "off" });
  input.value = JSON.stringify(sampleOf(server.inputSchema), null, 2);
  const dryRun = h("input", { type: "checkbox", name: "dryRun" });
  const button = h("button", { class: "primary" }, "Run test");
  const fault = h("p", { class: "fault", id: `fault-${server.serverId}`, role: "alert" });
  const slot = h("div", null);
  const answer = h("div", { class: "test-answer" });

  function tellFault(text) {
    fault.textContent = text;
    input.setAttribute("aria-invalid", String(text !== ""));
    if (text !== "") input.focus();
  }
  function submit(event) {
    event.preventDefault();
    const parsed = parse(input.value);
    tellFault(parsed.fault);
    if (parsed.fault !== "") return;
    whileBusy(button, slot, async () => {
      answer.replaceChildren();
      const body = { ...ownerParam(), input: parsed.value, dryRun: dryRun.checked };
      const result = await request("POST", `${path("mcp", "servers", server.serverId)}/run`, { body, signal });
      answer.replaceChildren(...answerParts(result));
      announce(`The test answered ${result.status}`);
    });
  }
  const control = field("Input as JSON", input, "What the endpoint would get as its body. Leave it empty for no body.");
  input.setAttribute("aria-describedby", `${input.getAttribute("aria-describedby")} ${fault.id}`);
  input.addEventListener("input", () => fault.textContent !== "" && tellFaultGone());
  function tellFaultGone() {
    fault.textContent = "";
    input.removeAttribute("aria-invalid");
  }
  input.after(fault);
  return h(
    "form",
    { novalidate: true, onsubmit: submit },
    control,
    h(
      "label",
      { class: "check" },
      dryRun,
      h("span", null, "Dry run", h("span", { class: "muted" }, " · nothing is written, sent or called")),
    ),
    h("div", { class: "row" }, button),
    slot,
    answer,
  );
}

/** `{ value, fault }`; the fault is empty where the text is JSON, or nothing at all. */
function parse(text) {
  if (text.trim() === "") return { value: null, fault: "" };
  try {
    return { value: JSON.parse(text), fault: "" };
  } catch (error) {
    return { fault: `This is not JSON: ${error.message}` };
  }
}

function answerParts({ success, status, headers, output, error, trace }) {
  const kind = success ? "ok" : status < 500 ? "refused" : "failed";
  const written = Object.entries(headers);
  return [
    h("h3", null, "Answer"),
    h(
      "p",
      { class: "row" },
      badge(kind, String(status)),
      h("span", { class: "muted" }, `after ${ms(trace.durationMs)}, as its endpoint would answer`),
    ),
    error ? problemPanel(new ApiError(error, status, null)) : json(output),
    written.length > 0 ? json(written.map(([name, value]) => `${name}: ${value}`).join("\n")) : null,
    h("h3", null, "Trace"),
    ...runTrace(trace),
  ].filter(Boolean);
}
