import { checkKey, setSession } from "../api.js";
import { field, h } from "../dom.js";
import { whileBusy } from "../problem.js";

export function signInView({ show }, notice) {
  const slot = h("div", null);
  const key = h("input", {
    type: "password",
    required: true,
    autofocus: true,
    autocomplete: "off",
    spellcheck: "false",
    placeholder: "orx_…",
  });
  const owner = h("input", { autocomplete: "off", spellcheck: "false", maxlength: 128 });
  const button = h("button", { class: "primary wide" }, "Sign in");
  const submit = (event) => {
    event.preventDefault();
    whileBusy(button, slot, async () => {
      const session = await checkKey(key.value.trim(), owner.value.trim());
      if (session.needsOwner) {
        slot.replaceChildren(
          h("p", { class: "problem", role: "alert" }, "This is an admin key: name the owner to act for."),
        );
        owner.focus();
        return;
      }
      setSession(session);
      show();
    });
  };
  return h(
    "div",
    { class: "sign-in" },
    h("h1", null, "Sign in to Orchestrix"),
    h("p", { class: "lead" }, "Deploy tool graphs as live agents, watch their runs, and search."),
    notice ? h("p", { class: "note", role: "status" }, notice) : null,
    h(
      "form",
      { class: "card", onsubmit: submit },
      field("API key", key, "Kept in this tab alone, and gone when you close it."),
      field("Owner", owner, "With an admin key: whose servers to work on. Leave it empty otherwise."),
      slot,
      button,
    ),
  );
}
