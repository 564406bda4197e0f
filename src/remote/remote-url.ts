/** Where a remote is, and how it is spoken to. */

import { KubescribeError } from "../../machines/error.ts";

export type RemotePlace =
  | {
      readonly kind: "http";
      /** Without user, query and the slash at its end. */
      readonly url: URL;
      /** Empty where the URL names none. */
      readonly user: string;
      readonly shown: string;
    }
  | {
      readonly kind: "ssh";
      readonly host: string;
      readonly port: number;
      readonly user: string;
      /** As the other side's shell is to find it: absolute, from the home directory, or `~user/...`. */
      readonly path: string;
      readonly shown: string;
    };

const expected =
  "https://HOST/PATH.git, ssh://USER@HOST[:PORT]/PATH.git or USER@HOST:PATH.git (http://HOST/PATH.git only without credentials)";
const sshPort = 22;
const defaultUser = "git";

/** Throws `remote-url-invalid`, which shows no part of the URL: it may hold a password. */
export function parseRemoteUrl(text: string): RemotePlace {
  const short = /^(?:([^/@:\s]+)@)?(\[[0-9a-f:.]+\]|[^/@:\s[\]]+):(?!\/\/|:)(.+)$/i.exec(text);
  if (!text.includes("://") && short !== null) {
    const [, user = defaultUser, host = "", path = ""] = short;
    return sshPlace({ host, port: sshPort, user, path });
  }
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null) throw invalid("another text");
  if (url.password !== "") throw invalid("a password in the URL: put it into the Secret, as username and password");
  if (url.search !== "" || url.hash !== "") throw invalid("a query or a fragment");
  if (url.protocol === "https:" || url.protocol === "http:") return httpPlace(url);
  if (url.protocol === "ssh:" || url.protocol === "git+ssh:") {
    const port = url.port === "" ? sshPort : Number(url.port);
    const user = url.username === "" ? defaultUser : decoded(url.username);
    const path = decoded(url.pathname);
    return sshPlace({ host: url.hostname, port, user, path: path.startsWith("/~") ? path.slice(1) : path });
  }
  throw invalid(`the scheme ${JSON.stringify(url.protocol.slice(0, 20))}`);
}

function httpPlace(url: URL): RemotePlace {
  const user = decoded(url.username);
  const bare = new URL(url);
  bare.username = "";
  bare.pathname = bare.pathname.replace(/\/+$/, "");
  return { kind: "http", url: bare, user, shown: bare.href.replace(/\/$/, "") };
}

function sshPlace(place: {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly path: string;
}): RemotePlace {
  const { port, user, path } = place;
  const host = place.host.replace(/^\[(.*)\]$/, "$1").toLowerCase();
  if (host === "" || path === "" || path === "/" || [host, path, user].some((part) => part.startsWith("-"))) {
    throw invalid("no host, no path, or one that begins with a dash");
  }
  if (/[\p{Cc}\s]/u.test(`${host}${user}`) || /\p{Cc}/u.test(path)) throw invalid("a control character or a blank");
  const at = port === sshPort ? "" : `:${port}`;
  const shownHost = host.includes(":") ? `[${host}]` : host;
  const shown = `ssh://${shownHost}${at}${path.startsWith("/") ? "" : "/"}${encodeURI(path)}`;
  return { kind: "ssh", host, port, user, path, shown };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw invalid("a percent sign that encodes nothing");
  }
}

function invalid(found: string): KubescribeError {
  return new KubescribeError("remote-url-invalid", `the URL of a remote should be ${expected}, and has ${found}`, {
    retry: "never",
  });
}
