/** One family of a scrape: its samples in the order written. */
export interface Family {
  readonly name: string;
  readonly type: string;
  readonly help: string;
  readonly samples: readonly Sample[];
}

export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*/;
const LABEL = /^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\\\|\\"|\\n)*)"(,|\})/;
const VALUE = /^ (NaN|[+-]Inf|[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?)$/;

/**
 * Reads Prometheus' text format as strictly as its description has it: HELP, then TYPE, then the samples of one family
 * together, no sample twice, buckets that only grow up to `+Inf`, which is the count.
 * @throws Error that names the line.
 */
export function parseExposition(text: string): ReadonlyMap<string, Family> {
  if (!text.endsWith("\n")) throw new Error("the last line does not end");
  const families = new Map<string, Family & { samples: Sample[] }>();
  const seen = new Set<string>();
  const lines = text.slice(0, -1).split("\n");
  for (let i = 0; i < lines.length; ) {
    const [, name = "", help = ""] = expectMatch(lines[i++], /^# HELP ([a-zA-Z_:][\w:]*) ((?:[^\\]|\\\\|\\n)*)$/);
    const [, again, type = ""] = expectMatch(lines[i++], /^# TYPE ([a-zA-Z_:][\w:]*) (counter|gauge|histogram)$/);
    if (again !== name || families.has(name)) throw new Error(`${name} is described twice or by half`);
    const samples: Sample[] = [];
    for (; i < lines.length && !lines[i]?.startsWith("#"); i++) {
      const sample = parseSample(lines[i] ?? "");
      const own = type === "histogram" ? sample.name.replace(/_(?:bucket|sum|count)$/, "") : sample.name;
      const identity = JSON.stringify([sample.name, Object.entries(sample.labels).sort()]);
      if (own !== name || seen.has(identity)) throw new Error(`out of place or twice: ${lines[i]}`);
      seen.add(identity);
      samples.push(sample);
    }
    if (type === "histogram") checkHistogram(samples);
    families.set(name, { name, type, help, samples });
  }
  return families;
}

/** The value of the sample with exactly these labels; undefined where there is none. */
export function sampleValue(
  text: string,
  name: string,
  labels: Readonly<Record<string, string>> = {},
): number | undefined {
  const wanted = JSON.stringify(Object.entries(labels).sort());
  for (const { samples } of parseExposition(text).values()) {
    const found = samples.find(
      (sample) => sample.name === name && JSON.stringify(Object.entries(sample.labels).sort()) === wanted,
    );
    if (found !== undefined) return found.value;
  }
  return undefined;
}

function parseSample(line: string): Sample {
  const [name = ""] = expectMatch(line, NAME);
  const labels: Record<string, string> = {};
  let rest = line.slice(name.length);
  if (rest.startsWith("{")) {
    rest = rest.slice(1);
    for (let more = true; more; ) {
      const [pair = "", label = "", value = "", end] = expectMatch(rest, LABEL);
      if (Object.hasOwn(labels, label)) throw new Error(`a label twice: ${line}`);
      labels[label] = value.replace(/\\(.)/g, (_match, char) => (char === "n" ? "\n" : char));
      rest = rest.slice(pair.length);
      more = end === ",";
    }
  }
  const [, value = ""] = expectMatch(rest, VALUE);
  return { name, labels, value: Number(value.replace("Inf", "Infinity")) };
}

function checkHistogram(samples: readonly Sample[]): void {
  const series = Map.groupBy(samples, ({ labels: { le: _, ...own } }) => JSON.stringify(own));
  for (const [labels, group] of series) {
    const buckets = group.filter(({ name }) => name.endsWith("_bucket"));
    const bounds = buckets.map(({ labels: { le = "" } }) => Number(le.replace("Inf", "Infinity")));
    const counts = buckets.map(({ value }) => value);
    const [total, ...more] = group.filter(({ name }) => name.endsWith("_count")).map(({ value }) => value);
    const sums = group.filter(({ name }) => name.endsWith("_sum"));
    const grows = (list: readonly number[], least: number) =>
      list.every((value, i) => i === 0 || value - (list[i - 1] ?? 0) >= least);
    const sound = bounds.at(-1) === Number.POSITIVE_INFINITY && grows(bounds, Number.MIN_VALUE) && grows(counts, 0);
    if (!sound || counts.at(-1) !== total || more.length > 0 || sums.length !== 1) {
      throw new Error(`no histogram: ${labels}`);
    }
  }
}

function expectMatch(line: string | undefined, pattern: RegExp): RegExpExecArray {
  const match = pattern.exec(line ?? "");
  if (match === null) throw new Error(`not in the format: ${line}`);
  return match;
}
