/** Who we are to an HTTP server, whom we trust, and the ways to it. */

import { writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { makeCertificate, type SelfMadeCertificate } from "../../src/simulator/certificate.ts";
import type { RemoteOptions } from "../../src/remote/open-remote.ts";
import { ConnectProxy } from "./connect-proxy.ts";
import { basicAuth, HttpBackend, type HttpBackendOptions } from "./http-backend.ts";
import { opened, patient, secretAt } from "./opened.ts";
import { branch, git, makeRepository, type Place, Source, temporaryPlace } from "./repositories.ts";

const password = "s3cret:with/colon and Ümlaut";

let place: Place;
let certificate: SelfMadeCertificate;
let head = "";
let count = 0;

beforeAll(async () => {
  place = temporaryPlace();
  certificate = await makeCertificate("test", { nowMs: () => Date.now() });
  const source = new Source(join(place.path, "source.git"));
  head = source.commit("");
  git(makeRepository(join(place.path, "remote.git")), ["fetch", "-q", source.path, `${head}:${branch}`]);
});
afterAll(() => {
  place[Symbol.dispose]();
});

const serve = (options: Omit<HttpBackendOptions, "root"> = {}): Promise<HttpBackend> =>
  HttpBackend.start({ root: place.path, ...options });
const secret = (files: Readonly<Record<string, string>>): Partial<RemoteOptions> => ({
  credentialsDirectory: secretAt(join(place.path, `secret-${(count += 1)}`), files),
});
const read = async (url: string, options: Partial<RemoteOptions> = {}): Promise<unknown> =>
  (await opened(url, options).refs([branch], patient)).refs.get(branch);
const failure = async (
  url: string,
  options: Partial<RemoteOptions> = {},
): Promise<{ code: string; message: string }> => {
  const result: unknown = await read(url, options).catch((error: unknown) => error);
  if (!(result instanceof Error)) throw new Error(`it should fail, and reads ${String(result)}`);
  return { code: "code" in result ? String(result.code) : "", message: result.message };
};
const answering =
  (
    status: number,
    headers: Readonly<Record<string, string>>,
    body = "",
  ): NonNullable<HttpBackendOptions["intercept"]> =>
  (_request, response) => {
    response.writeHead(status, headers).end(body);
    return true;
  };

describe("credentials", () => {
  test("are a user and a password of the Secret, read again once they have changed", async () => {
    await using server = await serve({ intercept: basicAuth("alice", password) });
    const options = secret({ username: "alice\n", password: "the old one\n" });
    const remote = opened(server.url("remote.git"), options);
    await expect(remote.refs([branch], patient)).rejects.toMatchObject({
      code: "remote-unauthorized",
      retry: "backoff",
    });
    writeFileSync(join(options.credentialsDirectory ?? "", "password"), `${password}\n`);
    expect((await remote.refs([branch], patient)).refs.get(branch)).toBe(head);
  });

  test.each([
    { files: { token: "t0ken" }, user: "", header: `Basic ${Buffer.from("git:t0ken").toString("base64")}` },
    { files: { token: "t0ken" }, user: "oauth2@", header: `Basic ${Buffer.from("oauth2:t0ken").toString("base64")}` },
    {
      files: { username: "bot", token: "t0ken" },
      user: "",
      header: `Basic ${Buffer.from("bot:t0ken").toString("base64")}`,
    },
    { files: { bearerToken: "t0ken", password: "x" }, user: "", header: "Bearer t0ken" },
  ])("$files are sent as $header", async ({ files, user, header }) => {
    await using server = await serve();
    await read(server.url("remote.git").replace("://", `://${user}`), secret(files));
    expect(server.seen.map(({ headers }) => headers.authorization)).toEqual([header]);
  });

  test("are in no message, though the server says them back", async () => {
    const options = secret({ username: "alice", password });
    const echo: HttpBackendOptions["intercept"] = (request, response) => {
      const said = request.headers.authorization ?? "";
      const plain = Buffer.from(said.replace("Basic ", ""), "base64").toString();
      response.writeHead(403, { "content-type": "text/plain" }).end(`no: ${said} ${plain}`);
      return true;
    };
    await using server = await serve({ intercept: echo });
    const { code, message } = await failure(server.url("remote.git"), options);
    expect(code).toBe("remote-unauthorized");
    expect(message).toContain("no: Basic *** alice:***");
  });

  test("that are wanted and not there are asked for", async () => {
    await using server = await serve({ intercept: basicAuth("alice", password) });
    const { code, message } = await failure(server.url("remote.git"));
    expect(code).toBe("remote-unauthorized");
    expect(message).toContain("put username and password, or a token, into the Secret");
  });

  test.each([
    { files: {}, expected: "should hold some of username and password" },
    { files: { password: "a\nb" }, expected: "password should hold one line of text" },
    { files: { password: "" }, expected: "password should hold something in it" },
    { files: { "ca.crt": "none" }, expected: "ca.crt should hold PEM certificates" },
    { files: { identity: "none" }, expected: "should hold a PEM private key" },
    { files: { token: "x".repeat(2 << 20) }, expected: "token should hold a file of at most 1024 KiB" },
  ])("a Secret that is none is refused: $expected", async ({ files, expected }) => {
    const { code, message } = await failure("https://127.0.0.1:1/x", secret(files));
    expect(code).toBe("remote-credentials");
    expect(message).toContain(expected);
  });

  test("a Secret that is not there is named", async () => {
    const { code, message } = await failure("https://127.0.0.1:1/x", { credentialsDirectory: "/nowhere/secret" });
    expect(code).toBe("remote-credentials");
    expect(message).toMatch(/^\/nowhere\/secret should be a directory with .*ENOENT$/);
  });

  test("are not sent over plain HTTP to another machine", async () => {
    const { code } = await failure("http://git.example.invalid/remote.git", secret({ token: "t0ken" }));
    expect(code).toBe("remote-insecure");
    const open = await failure("http://git.example.invalid/remote.git");
    expect(open.code).toBe("remote-unreachable");
  });
});

describe("certificates", () => {
  test("of a CA in the Secret are trusted, and of nobody else", async () => {
    await using server = await serve({ certificate });
    expect(await read(server.url("remote.git"), secret({ "ca.crt": certificate.certificatePem }))).toBe(head);
    const stranger = await makeCertificate("stranger", { nowMs: () => Date.now() });
    for (const options of [{}, secret({ "ca.crt": stranger.certificatePem })]) {
      const { code, message } = await failure(server.url("remote.git"), options);
      expect(code).toBe("remote-untrusted");
      expect(message).toContain("ca.crt");
    }
  });

  test("are for a name", async () => {
    await using server = await serve({ certificate });
    await using proxy = await ConnectProxy.start();
    const environment = { HTTPS_PROXY: `http://127.0.0.1:${proxy.port}` };
    const options = { ...secret({ "ca.crt": certificate.certificatePem }), environment };
    const { code, message } = await failure(server.url("remote.git", "git.example.invalid"), options);
    expect(code).toBe("remote-untrusted");
    expect(message).toContain("ERR_TLS_CERT_ALTNAME_INVALID");
  });
});

describe("redirects", () => {
  const redirect =
    (to: () => string): NonNullable<HttpBackendOptions["intercept"]> =>
    (request, response) => {
      if (!(request.url ?? "").startsWith("/old.git/")) return false;
      response.writeHead(301, { location: to() }).end();
      return true;
    };

  test("to another path of the host are followed, with the credentials and with the push", async () => {
    await using server = await serve({ intercept: redirect(() => "/remote.git/info/refs?service=git-receive-pack") });
    const remote = opened(server.url("old.git"), secret({ token: "t0ken" }));
    const push = { updates: [{ ref: "refs/heads/other", from: "", to: head }], pack: null };
    expect(await remote.push(push, patient)).toEqual({ kind: "pushed" });
    const posts = server.seen.filter(({ method }) => method === "POST");
    expect(posts).toMatchObject([{ path: "/remote.git/git-receive-pack", headers: { authorization: /^Basic / } }]);
  });

  test("to another host get no credentials", async () => {
    await using other = await serve({ intercept: basicAuth("git", "t0ken") });
    await using server = await serve({ intercept: redirect(() => `${other.url("remote.git")}/info/refs?x=1`) });
    const { code, message } = await failure(server.url("old.git"), secret({ token: "t0ken" }));
    expect(code).toBe("remote-unauthorized");
    expect(message).toContain("another host");
    expect(server.seen[0]?.headers.authorization).toMatch(/^Basic /);
    expect(other.seen.map(({ headers }) => headers.authorization)).toEqual([undefined]);
  });

  test("from https to http are not followed", async () => {
    await using other = await serve();
    await using server = await serve({
      certificate,
      intercept: redirect(() => `${other.url("remote.git")}/info/refs?service=git-upload-pack`),
    });
    const { code } = await failure(server.url("old.git"), secret({ "ca.crt": certificate.certificatePem }));
    expect(code).toBe("remote-untrusted");
    expect(other.seen).toEqual([]);
  });

  test.each(["/login", "javascript:alert(1)", "ftp://x/info/refs"])("to %s are no repository", async (location) => {
    await using server = await serve({ intercept: redirect(() => location) });
    expect((await failure(server.url("old.git"))).code).toBe("remote-malformed");
  });

  test("in a circle end", async () => {
    await using server = await serve({ intercept: redirect(() => "/old.git/info/refs") });
    expect((await failure(server.url("old.git"))).code).toBe("remote-malformed");
    expect(server.seen).toHaveLength(6);
  });
});

describe("proxies", () => {
  test.each(["HTTPS_PROXY", "https_proxy"])(
    "%s is the way to an https remote, and its password is not shown",
    async (key) => {
      await using server = await serve({ certificate });
      await using proxy = await ConnectProxy.start();
      const environment = { [key]: `http://u:pr0xy@127.0.0.1:${proxy.port}` };
      const options = { ...secret({ "ca.crt": certificate.certificatePem }), environment };
      expect(await read(server.url("remote.git"), options)).toBe(head);
      expect(proxy.tunnels).toEqual([`127.0.0.1:${server.port}`]);
      expect(proxy.authorizations).toEqual([`Basic ${Buffer.from("u:pr0xy").toString("base64")}`]);
      await proxy[Symbol.asyncDispose]();
      const { code, message } = await failure(server.url("remote.git"), options);
      expect(code).toBe("remote-unreachable");
      expect(message).not.toContain("pr0xy");
    },
  );

  test.each(["NO_PROXY", "no_proxy"])("%s names those that need none", async (key) => {
    await using server = await serve({ certificate });
    const environment = { HTTPS_PROXY: "http://127.0.0.1:1", [key]: "127.0.0.1,example.com" };
    const options = { ...secret({ "ca.crt": certificate.certificatePem }), environment };
    expect(await read(server.url("remote.git"), options)).toBe(head);
  });

  test("none is told what is said to this machine in the clear", async () => {
    await using server = await serve({ intercept: basicAuth("git", "t0ken") });
    const environment = { HTTP_PROXY: "http://127.0.0.1:1" };
    expect(await read(server.url("remote.git"), { ...secret({ token: "t0ken" }), environment })).toBe(head);
  });

  test("HTTP_PROXY is asked for an http remote", async () => {
    await using proxy = await serve({ intercept: answering(418, { "content-type": "text/plain" }, "the proxy") });
    const environment = { HTTP_PROXY: `http://127.0.0.1:${proxy.port}` };
    const { message } = await failure("http://git.example.invalid/remote.git", { environment });
    expect(message).toContain("the proxy");
    expect(proxy.seen[0]?.path).toBe("http://git.example.invalid/remote.git/info/refs?service=git-upload-pack");
  });
});

describe("answers that are none", () => {
  const page = { "content-type": "text/html" };
  test.each([
    { name: "a web page", status: 200, headers: page, code: "remote-malformed" },
    { name: "a dumb server", status: 200, headers: { "content-type": "text/plain" }, code: "remote-malformed" },
    { name: "no repository", status: 404, headers: page, code: "remote-not-found" },
    { name: "trouble", status: 503, headers: page, code: "remote-unreachable" },
    { name: "too much", status: 413, headers: page, code: "remote-quota" },
    { name: "a redirect to nowhere", status: 302, headers: page, code: "remote-malformed" },
  ])("$name is $code", async ({ status, headers, code }) => {
    await using server = await serve({ intercept: answering(status, headers, `${head}\trefs/heads/main\n`) });
    expect((await failure(server.url("remote.git"))).code).toBe(code);
  });

  test.each([
    "",
    "001f# service=git-upload-pack\n",
    "001e# service=git-upload-pack\n0000zzzz",
    "001e# service=git-upload-pack\n0000ffff",
    "001e# service=git-upload-pack\n00000003",
    "001e# service=git-upload-pack\n00000008none0000",
    "001e# service=git-upload-pack\n0000000eversion 2\n0000",
    "001e# service=git-receive-pack\n0000",
    `001e# service=git-upload-pack\n0000${packet(`${"1".repeat(40)} HEAD\0object-format=sha256`)}0000`,
  ])("%j is no advertisement", async (body) => {
    const headers = { "content-type": "application/x-git-upload-pack-advertisement" };
    await using server = await serve({ intercept: answering(200, headers, body) });
    expect((await failure(server.url("remote.git"))).code).toMatch(/^remote-(?:malformed|cut)$/);
  });
});

function packet(text: string): string {
  return (text.length + 4).toString(16).padStart(4, "0") + text;
}

test("what is no web server is malformed", async () => {
  const server = createServer((socket) => socket.end("220 smtp.example.com ESMTP\r\n"));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  expect((await failure(`http://127.0.0.1:${port}/remote.git`)).code).toBe("remote-malformed");
  server.close();
});

test("nobody listens", async () => {
  expect((await failure("http://127.0.0.1:1/remote.git")).code).toBe("remote-unreachable");
});
