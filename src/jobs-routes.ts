import * as z from "zod";
import { authorizeAdmin } from "./core/actor.ts";
import { ok } from "./core/result.ts";
import { type Endpoint, endpoint } from "./http/endpoint.ts";
import { JOB_NAMES, type Jobs } from "./jobs.ts";

const jobParams = z.object({ job: z.enum(JOB_NAMES) });
const jobAnswer = z
  .object({ job: z.enum(JOB_NAMES), report: z.record(z.string(), z.json()) })
  .meta({ id: "JobReport" });

export function createJobEndpoints(jobs: Jobs): readonly Endpoint[] {
  return [
    endpoint(
      {
        method: "post",
        path: "/admin/jobs/{job}",
        operationId: "runJob",
        tag: "Operations",
        summary: "Run a scheduled job now",
        access: "admin",
        params: jobParams,
        responses: [{ status: 200, description: "What it did", schema: jobAnswer }],
      },
      async ({ params, call }) => {
        const allowed = authorizeAdmin(call.actor);
        return allowed.ok ? ok({ job: params.job, report: await jobs[params.job]({ thorough: true }) }) : allowed;
      },
    ),
  ];
}
