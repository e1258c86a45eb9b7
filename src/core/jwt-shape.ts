/** `eyJ` is how every JSON object whose first character after the brace is a quote begins in base64url. */
const JWT = /^eyJ[\w-]+\.[\w-]+\.[\w-]*$/;

/** Whether a text has the form of a JSON Web Token. Says nothing of what is in it. */
export function isJwtShaped(text: string): boolean {
  return JWT.test(text);
}
