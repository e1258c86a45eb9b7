/**
 * What every answer says to browsers, whatever it is. Left out is what they have long ignored or do by themselves, and
 * what says something of pages alone: those say it themselves.
 */
export function setSecurityHeaders(headers: Headers, { isShared }: { readonly isShared: boolean }): void {
  headers.set("Strict-Transport-Security", "max-age=15552000; includeSubDomains");
  headers.set("X-Content-Type-Options", "nosniff");
  headers.set("Cross-Origin-Resource-Policy", isShared ? "cross-origin" : "same-origin");
  // A document that sets none loads nothing, and is in no frame.
  if (!headers.has(CSP)) headers.set(CSP, "default-src 'none'; frame-ancestors 'none'");
}

const CSP = "Content-Security-Policy";
