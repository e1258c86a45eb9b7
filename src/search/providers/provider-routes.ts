import * as z from "zod";
import { type Endpoint, endpoint } from "../../http/endpoint.ts";
import {
  changeProviderBody,
  providerList,
  providerName,
  providerView,
  registerProviderBody,
} from "./provider-contract.ts";
import type { ProviderService } from "./provider-service.ts";

const params = z.object({ name: providerName });

export function createProviderEndpoints(service: ProviderService): readonly Endpoint[] {
  return [
    endpoint(
      {
        method: "get",
        path: "/search/providers",
        operationId: "listSearchProviders",
        tag: "Search",
        summary: "Every provider in the order in which they are asked, with its circuit breaker and quota",
        access: "admin",
        responses: [{ status: 200, description: "The providers", schema: providerList }],
      },
      ({ call }) => service.list(call),
    ),
    endpoint(
      {
        method: "post",
        path: "/search/providers",
        operationId: "registerSearchProvider",
        tag: "Search",
        summary: "Register a provider by configuration",
        description:
          "The URL, and texts in the body, may hold {{query}}, {{maxResults}}, {{language}}, {{country}}, {{timeRange}} " +
          "and {{topic}}; where one has no value, its URL parameter or field is left out. Headers are stored encrypted " +
          "and never shown again; URL and body are shown to admin keys, so secrets belong into headers. The provider is " +
          "asked once for real and must give a result before it is taken on.",
        access: "admin",
        body: registerProviderBody,
        responses: [{ status: 201, description: "The provider as it is listed", schema: providerView }],
        errors: ["DUPLICATE", "UPSTREAM_FAILED", "UPSTREAM_TIMEOUT"],
      },
      ({ call, body }) => service.register(call, body),
    ),
    endpoint(
      {
        method: "put",
        path: "/search/providers/{name}",
        operationId: "changeSearchProvider",
        tag: "Search",
        summary: "Change a provider's priority, switch it on or off, close its circuit breaker",
        description: "Holds everywhere within 15 s. The index can be switched off and is always asked last.",
        access: "admin",
        params,
        body: changeProviderBody,
        responses: [{ status: 200, description: "The provider as it is listed", schema: providerView }],
        errors: ["NOT_FOUND"],
      },
      ({ call, params: { name }, body }) => service.update(call, name, body),
    ),
    endpoint(
      {
        method: "delete",
        path: "/search/providers/{name}",
        operationId: "removeSearchProvider",
        tag: "Search",
        summary: "Remove a registered provider",
        description: "A built-in one cannot be removed: switch it off instead.",
        access: "admin",
        params,
        responses: [{ status: 204, description: "Gone, everywhere within 15 s" }],
        errors: ["NOT_FOUND"],
      },
      ({ call, params: { name } }) => service.remove(call, name),
    ),
  ];
}
