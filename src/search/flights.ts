/**
 * Work that several requests of this isolate wait for: one promise of plain data for each key, so that it may be
 * shared. It is kept alive on its own, and ends when it ends, not when the request that began it goes.
 */
export interface Flights<T> {
  get(key: string): Promise<T> | undefined;
  /** Begins the work and lets others find it until it has ended. */
  start(key: string, work: () => Promise<T>): Promise<T>;
}

export function createFlights<T>(keepAlive: (work: Promise<unknown>) => void): Flights<T> {
  const flights = new Map<string, Promise<T>>();
  return {
    get: (key) => flights.get(key),
    start(key, work) {
      const flight = work().finally(() => flights.delete(key));
      flights.set(key, flight);
      // Whoever waits for it hears of its failure.
      keepAlive(flight.then(ignore, ignore));
      return flight;
    },
  };
}

function ignore(): void {}
