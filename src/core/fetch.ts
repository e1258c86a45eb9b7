/** `fetch` as a dependency: the network in production, this Worker's own app for the edge target, a stand-in in tests. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>;
