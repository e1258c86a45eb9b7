import signupApi from "../../src/servers/templates/signup-api.json" with { type: "json" };

export const SIGNUP_API = signupApi;

/** The smallest graph that answers: what comes in goes out. */
export const ECHO_API = {
  name: "Echo API",
  tools: [
    { toolId: "input", name: "input" },
    { toolId: "response", name: "response", config: { body: { got: "{{input}}" } } },
  ],
  executionOrder: ["input", "response"],
};
