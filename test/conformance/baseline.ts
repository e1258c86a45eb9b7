/** Requests to the client in the middle of a call need a session, by which its answer finds the call. */
const NEEDS_SESSION = "a server without sessions has nobody to ask in the middle of a call";
/** In 2025 revisions updates arrive on a stream of the session's own. */
const NEEDS_SUBSCRIPTION = "a server without sessions remembers no subscription";

/** Scored scenarios that are not passed, by revision, each with the reason. One that passes does not belong here. */
export const BASELINE: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "2026-07-28": {},
  "2025-11-25": {
    "tools-call-sampling": NEEDS_SESSION,
    "tools-call-elicitation": NEEDS_SESSION,
    "elicitation-sep1034-defaults": NEEDS_SESSION,
    "elicitation-sep1330-enums": NEEDS_SESSION,
    "resources-subscribe": NEEDS_SUBSCRIPTION,
    "resources-unsubscribe": NEEDS_SUBSCRIPTION,
  },
};
