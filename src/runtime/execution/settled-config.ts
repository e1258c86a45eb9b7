import { isJsonObject, type Json } from "../../core/json.ts";

/**
 * A config as its tool goes by it, defaults filled in, with the masks of `shown`. `given` is what the tool was set up
 * with, `shown` the same with values masked, `settings` what the tool made of `given`.
 */
export function settledConfig(given: Json, shown: Json, settings: Json): Json {
  // Where nothing is masked, what the tool goes by is all that counts.
  if (shown === given) return settings;
  if (isJsonObject(given) && isJsonObject(shown) && isJsonObject(settings)) {
    const masked = Object.entries(shown).map(([key, inner]) => {
      const [was, is] = [own(given, key), own(settings, key)];
      return [key, was === undefined || is === undefined ? inner : settledConfig(was, inner, is)] as const;
    });
    const added = Object.entries(settings).filter(([key]) => own(shown, key) === undefined);
    return Object.fromEntries([...masked, ...added]);
  }
  if (isList(given) && isList(shown) && isList(settings) && settings.length === shown.length) {
    return shown.map((item, i) => settledConfig(given[i] ?? null, item, settings[i] ?? null));
  }
  return shown;
}

function own(object: { readonly [key: string]: Json }, key: string): Json | undefined {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}
