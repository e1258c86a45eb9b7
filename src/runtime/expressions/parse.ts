import { type ASTNode, Environment, ParseError } from "@marcbachmann/cel-js";
import { err, ok, type Result } from "../../core/result.ts";
import { EXPRESSION_MAX_CHARS } from "../limits.ts";
import { placeOf } from "./faults.ts";
import {
  EXPRESSION_MAX_ARGUMENTS,
  EXPRESSION_MAX_DEPTH,
  EXPRESSION_MAX_ITEMS,
  EXPRESSION_MAX_NODES,
  PARSER_MAX_TEXTS,
} from "./limits.ts";

export type Node = ASTNode;

export type Parse = (text: string) => Result<Node, string>;

/** CEL's grammar as the library reads it; the error is a sentence with the place. */
export function createParse(): Parse {
  let environment = createEnvironment();
  let texts = 0;
  return (text) => {
    if (text.length > EXPRESSION_MAX_CHARS) {
      return err(`an expression holds at most ${EXPRESSION_MAX_CHARS} characters`);
    }
    if (++texts % PARSER_MAX_TEXTS === 0) environment = createEnvironment();
    try {
      return ok(environment.parse(text).ast);
    } catch (error) {
      if (error instanceof ParseError) return err(describe(error, text));
      throw error;
    }
  };
}

function createEnvironment(): Environment {
  const environment = new Environment({
    unlistedVariablesAreDyn: true,
    enableOptionalTypes: true,
    limits: {
      maxAstNodes: EXPRESSION_MAX_NODES,
      maxDepth: EXPRESSION_MAX_DEPTH,
      maxListElements: EXPRESSION_MAX_ITEMS,
      maxMapEntries: EXPRESSION_MAX_ITEMS,
      maxCallArguments: EXPRESSION_MAX_ARGUMENTS,
    },
  });
  // With a function of its own it no longer shares, and fills, the library's one table of functions.
  return environment.registerFunction("itself(dyn): dyn", (value: unknown) => value);
}

/** The library's names of what stands in the text, where its own would not be understood. */
const TOKENS: Readonly<Record<string, string>> = {
  EOF: "the end",
  IDENTIFIER: "a name",
  LPAREN: "(",
  RPAREN: ")",
  RBRACKET: "]",
  RBRACE: "}",
  COLON: ":",
  COMMA: ",",
};

function describe(error: ParseError, text: string): string {
  const place = placeOf(text, error.range?.start ?? 0);
  if (error.code === "limit_exceeded") return `too long or too deep for one expression, at ${place}`;
  // The library quotes one code unit there, which can be half a character.
  if (error.code === "unexpected_character") return `unexpected character, at ${place}`;
  const summary = error.summary.replace(/\b[A-Z]{2,}\b/g, (name) => TOKENS[name] ?? name.toLowerCase());
  return `${summary.toWellFormed()}, at ${place}`;
}
