/** Title, snippet, address. */
export type Listed = readonly [string, string, string];

export interface Question {
  readonly query: string;
  /** A list that answers the question as well as a search engine does. */
  readonly good: readonly Listed[];
}

interface Shown {
  readonly title: string;
  readonly content: string;
  readonly url: string;
}

export function toShown(list: readonly Listed[]): Shown[] {
  return list.map(([title, content, url]) => ({ title, content, url }));
}
