export type MetricLabels = Readonly<Record<string, string>>;

/**
 * Counts what happens. Cheap: adds to a number in the isolate's memory, which is handed on after answers have left.
 * Names and labels are of a fixed set: never a query, a key, an owner or an address.
 */
export interface Metrics {
  /** Adds `by` (1) to a counter. */
  count(name: string, labels?: MetricLabels, by?: number): void;
  /** One observation of a duration, into a histogram. */
  observe(name: string, milliseconds: number, labels?: MetricLabels): void;
  /** The last known value of something that goes up and down, such as a breaker's state or an entry's age. */
  gauge(name: string, value: number, labels?: MetricLabels): void;
}
