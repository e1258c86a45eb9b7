interface Stoppable {
  stop(): Promise<void>;
}

export interface Scope extends Stoppable {
  /** Has it stopped with the rest; at once where the rest is being stopped already. */
  add<Started extends Stoppable>(started: Started): Started;
}

/** What was started last is stopped first. What fails to stop keeps nothing else from being stopped. */
export function createScope(): Scope {
  const running: Stoppable[] = [];
  let stopping: Promise<void> | undefined;
  const stopAll = async () => {
    for (let last = running.pop(); last !== undefined; last = running.pop()) {
      await last.stop().catch((error: unknown) => console.error(error));
    }
  };
  return {
    add(started) {
      running.push(started);
      if (stopping !== undefined) stopping = stopping.then(stopAll);
      return started;
    },
    stop() {
      stopping ??= stopAll();
      return stopping;
    },
  };
}
