import type { Json } from "../../../../src/core/json.ts";
import { err, ok, type Result } from "../../../../src/core/result.ts";
import type { Expressions } from "../../../../src/runtime/expressions/expression.ts";
import type { Scope } from "../../../../src/runtime/graph/references.ts";

type Operand = (scope: Scope) => Result<Json, string>;

/** Paths and JSON literals, `a == b`, `a != b`, and several of these joined by `&&`: enough to write conditions with. */
export const fakeExpressions: Expressions = {
  compile(text) {
    if (text.includes("(")) return err(`1:${text.indexOf("(") + 1}: unexpected (`);
    const roots: string[] = [];
    const terms = text.split("&&").map((term) => readTerm(term.trim(), roots));
    return ok({
      text,
      roots: [...new Set(roots)],
      evaluate(scope) {
        let value: Result<Json, string> = ok(true);
        for (const term of terms) {
          value = term(scope);
          if (!value.ok || value.value === false) return value;
        }
        return value;
      },
    });
  },
};

function readTerm(text: string, roots: string[]): Operand {
  const [, left = text, operator, right] = /^(.*?)\s*([=!]=)\s*(.*)$/.exec(text) ?? [];
  const first = readOperand(left, roots);
  if (operator === undefined || right === undefined) return first;
  const second = readOperand(right, roots);
  return (scope) => {
    const a = first(scope);
    const b = second(scope);
    if (!a.ok) return a;
    if (!b.ok) return b;
    return ok((JSON.stringify(a.value) === JSON.stringify(b.value)) === (operator === "=="));
  };
}

function readOperand(text: string, roots: string[]): Operand {
  try {
    const value = JSON.parse(text) as Json;
    return () => ok(value);
  } catch {
    const [root = "", ...path] = text.split(".");
    roots.push(root);
    return (scope) => {
      let value: any = scope.get(root);
      for (const part of path) {
        if (typeof value !== "object" || value === null || !Object.hasOwn(value, part)) {
          return err(`no such field: ${part}`);
        }
        value = value[part];
      }
      return value === undefined ? err(`unknown name: ${root}`) : ok(value);
    };
  }
}
