/**
 * The name under which a store keeps something of this kind. Names are arbitrary text, and no two of them meet: text with
 * half a surrogate pair would lose it in UTF-8, so it is written with escapes, under a mark that no other text has.
 */
export function stateName(kind: string, name: string): string {
  return name.isWellFormed() ? `${kind}:${name}` : `${kind}!:${JSON.stringify(name)}`;
}
