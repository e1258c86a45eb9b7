import type { Call } from "../../core/actor.ts";
import type { Stopper } from "../../core/deadline.ts";
import type { Json, JsonObject } from "../../core/json.ts";
import { err } from "../../core/result.ts";
import type { Plan } from "../graph/graph.ts";
import type { Scope } from "../graph/references.ts";
import type { PlannedStep } from "../graph/step.ts";
import type { RunContext, StepContext, ToolServices } from "../tool.ts";
import type { ActiveRun } from "./active-run.ts";
import type { RunOrder } from "./executor.ts";

/** What a tool sees in one attempt at its step. A class: getters in an object literal cost each step more than all the rest of its context. */
export class AttemptContext implements StepContext {
  readonly services: ToolServices;
  readonly run: RunContext;
  readonly input: Json;
  readonly scope: Scope;
  readonly asOwner: Call;
  readonly #order: RunOrder;
  readonly #plan: Plan;
  readonly #step: PlannedStep;
  readonly #stopper: Stopper;

  constructor({ plan, order, deps, context, scope }: ActiveRun, step: PlannedStep, stopper: Stopper) {
    this.services = deps.services;
    this.run = context;
    this.input = order.request.input;
    this.scope = scope;
    this.asOwner = order.asOwner;
    this.#order = order;
    this.#plan = plan;
    this.#step = step;
    this.#stopper = stopper;
  }

  get agentId(): string {
    return this.run.agentId;
  }

  get ownerId(): string {
    return this.run.ownerId;
  }

  get toolId(): string {
    return this.#step.toolId;
  }

  get isHostSecret(): boolean {
    return this.#step.isHostSecret;
  }

  get stepKey(): string {
    return `${this.run.runId}:${this.toolId}`;
  }

  get inputSchema(): JsonObject {
    return this.#plan.inputSchema;
  }

  get requestHeaders(): Readonly<Record<string, string>> {
    return this.#order.request.headers;
  }

  get signal(): AbortSignal {
    return this.#stopper.signal();
  }

  /** Tools take it out of their context. */
  readonly evaluate: StepContext["evaluate"] = (path) =>
    this.#step.expressions.get(path)?.evaluate(this.scope, this.run.family.work) ??
    err(`there is no expression at ${path}`);
}
