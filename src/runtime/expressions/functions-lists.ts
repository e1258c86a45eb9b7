import { isPrototypeKey } from "../../core/json.ts";
import { Fault, type Frame, spend, spendText } from "./faults.ts";
import type { CelFunction } from "./function.ts";
import { rangeOf, textSize } from "./functions-texts.ts";
import { KEY_STEPS } from "./limits.ts";
import { calculate, compare, equals, wholeOf } from "./operators.ts";
import { type Dict, isDict, isList, type Kind, kindOf, optional, type Value } from "./values.ts";

const LIST: readonly Kind[] = ["list"];
const MAP: readonly Kind[] = ["map"];

function listOf(value: Value | undefined): readonly Value[] {
  return value !== undefined && isList(value) ? value : [];
}

/** Keys that expressions may read. */
export function keysOf(value: Value | undefined, frame: Frame): readonly string[] {
  if (value === undefined || !isDict(value)) return [];
  const keys = Object.keys(value);
  spend(frame, keys.length * KEY_STEPS);
  return keys.filter((key) => !isPrototypeKey(key));
}

export const LIST_FUNCTIONS: Readonly<Record<string, CelFunction>> = {
  size: {
    takes: [["string", "bytes", "list", "map"]],
    gives: "int",
    form: "size(x)",
    does: "How many characters, bytes, items or keys.",
    run([value = null], frame) {
      if (typeof value === "string") return BigInt(textSize(value, frame));
      if (isList(value) || value instanceof Uint8Array) return BigInt(value.length);
      return BigInt(keysOf(value, frame).length);
    },
  },
  join: {
    takes: [LIST, ["string"]],
    mayLack: 1,
    gives: "string",
    form: "list.join(), list.join(separator)",
    does: "Its texts in one.",
    run([list, separator = ""], frame) {
      const texts = listOf(list);
      let chars = 0;
      for (const text of texts) {
        if (typeof text !== "string") throw new Fault("join() takes a list of strings: use map(x, string(x))");
        chars += text.length + String(separator).length;
      }
      spend(frame, texts.length);
      spendText(frame, chars);
      return texts.join(String(separator));
    },
  },
  distinct: {
    takes: [LIST],
    gives: "list",
    form: "list.distinct()",
    does: "Every value once, where it comes first.",
    run([list], frame) {
      const simple = new Set<Value>();
      const others: Value[] = [];
      return listOf(list).filter((item) => {
        spend(frame, 1);
        // An int and a double of the same value are one; beyond 2^53 an int stays itself.
        const key = typeof item === "bigint" && BigInt(Number(item)) === item ? Number(item) : item;
        if (typeof key !== "object" || key === null) return simple.size < simple.add(key).size;
        if (others.some((other) => equals(other, item, frame))) return false;
        others.push(item);
        return true;
      });
    },
  },
  flatten: {
    takes: [LIST],
    gives: "list",
    form: "list.flatten()",
    does: "The items of its lists, one level of them.",
    run([list], frame) {
      const flat: Value[] = [];
      for (const item of listOf(list)) {
        spend(frame, isList(item) ? item.length + 1 : 1);
        if (isList(item)) for (const inner of item) flat.push(inner);
        else flat.push(item);
      }
      return flat;
    },
  },
  slice: {
    takes: [LIST, ["int", "double"], ["int", "double"]],
    mayLack: 1,
    gives: "list",
    form: "list.slice(start), list.slice(start, end)",
    does: "The items from start up to end.",
    run(args, frame) {
      const items = listOf(args[0]);
      const [start, end] = rangeOf(args, items.length);
      spend(frame, end - start);
      return items.slice(start, end);
    },
  },
  sort: {
    takes: [LIST],
    gives: "list",
    form: "list.sort()",
    does: "In order; its items are numbers, or texts, or times.",
    run([list], frame) {
      const items = listOf(list);
      spend(frame, items.length);
      if (items.length === 1) return items;
      return [...items].sort((a, b) => {
        spend(frame, 1);
        return compare("<", a, b, frame) ? -1 : compare(">", a, b, frame) ? 1 : 0;
      });
    },
  },
  reverse: {
    takes: [LIST],
    gives: "list",
    form: "list.reverse()",
    does: "From its last item to its first.",
    run([list], frame) {
      spend(frame, listOf(list).length);
      return listOf(list).toReversed();
    },
  },
  first: {
    takes: [LIST],
    gives: "optional",
    form: "list.first()",
    does: "Its first item as an optional: absent where it is empty.",
    run: ([list]) => optional(listOf(list)[0]),
  },
  last: {
    takes: [LIST],
    gives: "optional",
    form: "list.last()",
    does: "Its last item, the same.",
    run: ([list]) => optional(listOf(list).at(-1)),
  },
  "lists.range": {
    takes: [["int", "double"]],
    gives: "list",
    form: "lists.range(n)",
    does: "The whole numbers from 0 up to n, without n.",
    run([n = 0], frame) {
      const length = wholeOf(n);
      if (length < 0) throw new Fault("lists.range() takes no negative number");
      spend(frame, length);
      return Array.from({ length }, (_, i) => BigInt(i));
    },
  },
  sum: {
    takes: [LIST],
    gives: "dyn",
    form: "list.sum()",
    does: "Its numbers added; 0 of none.",
    run([list], frame) {
      const items = listOf(list);
      spend(frame, items.length);
      let total: Value = 0n;
      for (const item of items) {
        if (kindOf(item) !== "int" && kindOf(item) !== "double") throw new Fault("sum() takes a list of numbers");
        total = calculate("+", total, item, frame);
      }
      return total;
    },
  },
  min: extreme("min", "<", "The smallest of its items."),
  max: extreme("max", ">", "The largest of its items."),
  keys: {
    takes: [MAP],
    gives: "list",
    form: "map.keys()",
    does: "Its keys.",
    run: ([map], frame) => keysOf(map, frame),
  },
  values: {
    takes: [MAP],
    gives: "list",
    form: "map.values()",
    does: "Its values.",
    run([map = null], frame) {
      return keysOf(map, frame).map((key) => (map as Dict)[key] ?? null);
    },
  },
  merge: {
    takes: [MAP, MAP],
    gives: "map",
    form: "map.merge(other)",
    does: "A map with the entries of both; those of the other win.",
    run([map = null, other = null], frame) {
      const entries = [map, other].flatMap((one) =>
        keysOf(one, frame).map((key) => [key, (one as Dict)[key] ?? null] as const),
      );
      spend(frame, entries.length * KEY_STEPS);
      return Object.fromEntries(entries);
    },
  },
};

function extreme(name: string, order: "<" | ">", does: string): CelFunction {
  return {
    takes: [LIST],
    gives: "dyn",
    form: `list.${name}()`,
    does,
    run([list], frame) {
      const [first, ...rest] = listOf(list);
      if (first === undefined) throw new Fault(`${name}() takes a list that is not empty`);
      spend(frame, rest.length);
      return rest.reduce((best, item) => (compare(order, item, best, frame) ? item : best), first);
    },
  };
}
