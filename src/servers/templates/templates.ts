import loginApi from "./login-api.json" with { type: "json" };
import meApi from "./me-api.json" with { type: "json" };
import researchBriefApi from "./research-brief-api.json" with { type: "json" };
import signupApi from "./signup-api.json" with { type: "json" };
import webResearchApi from "./web-research-api.json" with { type: "json" };

interface Template {
  readonly name: string;
  readonly description: string;
}

/** Graphs that work as they stand. A file here and a line below make a new one; a test deploys and runs each. */
export const templates: Readonly<Record<string, Template>> = {
  "signup-api": signupApi,
  "login-api": loginApi,
  "me-api": meApi,
  "research-brief-api": researchBriefApi,
  "web-research-api": webResearchApi,
};
