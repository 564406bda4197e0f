/** What Kubernetes allows as names (RFC 1123) and labels. */

const label = "[a-z0-9](?:[-a-z0-9]*[a-z0-9])?";
const subdomain = new RegExp(`^${label}(?:\\.${label})*$`);
const oneLabel = new RegExp(`^${label}$`);
const qualified = /^[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?$/;

export const nameExpected = "a Kubernetes name (lower-case letters, digits, - and .)";
export const namespaceExpected = "a namespace's name (lower-case letters, digits and -)";

export function isName(text: string): boolean {
  return text.length <= 253 && subdomain.test(text);
}

export function isNamespace(text: string): boolean {
  return text.length <= 63 && oneLabel.test(text);
}

/** `app`, `app.kubernetes.io/name`. */
export function isLabelKey(text: string): boolean {
  const slash = text.indexOf("/");
  const name = text.slice(slash + 1);
  return (slash === -1 || isName(text.slice(0, slash))) && name.length <= 63 && qualified.test(name);
}

export function isLabelValue(text: string): boolean {
  return text === "" || (text.length <= 63 && qualified.test(text));
}
