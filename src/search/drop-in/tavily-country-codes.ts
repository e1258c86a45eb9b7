import { tavilyCountry } from "../providers/tavily-countries.ts";

let codes: ReadonlyMap<string, string> | undefined;

/** The ISO 3166-1 code of a country by the English name that Tavily gives it, or by the code itself; else null. */
export function countryCode(name: string): string | null {
  const wanted = name.trim().toLowerCase();
  if (tavilyCountry(wanted) !== null) return wanted;
  codes ??= new Map(allCodes().map((code) => [tavilyCountry(code) ?? "", code]));
  return wanted === "" ? null : (codes.get(wanted) ?? null);
}

/** Every pair of letters, countries or not. */
function allCodes(): string[] {
  const letters = [..."abcdefghijklmnopqrstuvwxyz"];
  return letters.flatMap((first) => letters.map((second) => first + second));
}
