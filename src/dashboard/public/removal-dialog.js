import { ownerParam, request } from "./api.js";
import { announce, h, openDialog } from "./dom.js";
import { whileBusy } from "./problem.js";

/** Asks before something is removed for good, and removes it. `told` is announced then, and `refresh` called. */
export function openRemoval({ title, warning, action, url, told }, signal, refresh) {
  openDialog(title, (close) => {
    const slot = h("div", null);
    const work = async () => {
      await request("DELETE", url, { signal, query: ownerParam() });
      close();
      announce(told);
      refresh();
    };
    const button = h(
      "button",
      { type: "button", class: "danger", onclick: () => whileBusy(button, slot, work) },
      action,
    );
    return [
      h("p", null, warning),
      slot,
      h(
        "div",
        { class: "row end" },
        h("button", { type: "button", autofocus: true, onclick: close }, "Keep it"),
        button,
      ),
    ];
  });
}
