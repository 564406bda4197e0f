import { expect, test } from "vitest";

import { parseRemoteUrl } from "../../src/remote/remote-url.ts";

test.each([
  ["https://git.example.com/team/history.git", "https://git.example.com/team/history.git"],
  ["https://bot@git.example.com/team/history.git/", "https://git.example.com/team/history.git"],
  ["http://127.0.0.1:8080/history", "http://127.0.0.1:8080/history"],
  ["ssh://git@git.example.com/team/history.git", "ssh://git.example.com/team/history.git"],
  ["ssh://git.example.com:2222/x", "ssh://git.example.com:2222/x"],
  ["git@git.example.com:team/history.git", "ssh://git.example.com/team/history.git"],
  ["git.example.com:/srv/history.git", "ssh://git.example.com/srv/history.git"],
])("%s is shown as %s", (url, shown) => {
  expect(parseRemoteUrl(url).shown).toBe(shown);
});

test.each([
  ["ssh://git.example.com/srv/x.git", { host: "git.example.com", port: 22, user: "git", path: "/srv/x.git" }],
  ["ssh://alice@Git.Example.com:29418/~/x", { host: "git.example.com", port: 29418, user: "alice", path: "~/x" }],
  ["ssh://git.example.com/a%20b", { path: "/a b" }],
  ["alice@git.example.com:x/y.git", { user: "alice", path: "x/y.git" }],
  ["git@[::1]:x", { host: "::1", path: "x" }],
  ["ssh://[::1]:22/x", { host: "::1", path: "/x" }],
  ["https://bot@git.example.com/x", { user: "bot" }],
])("%s is read", (url, place) => {
  expect(parseRemoteUrl(url)).toMatchObject(place);
});

test.each([
  "",
  "history",
  "/srv/history.git",
  "file:///srv/history.git",
  "git://git.example.com/x",
  "ext::sh -c touch% x",
  "https://alice:hunter2@git.example.com/x",
  "https://git.example.com/x?token=hunter2",
  "ssh://git.example.com",
  "ssh://-oProxyCommand=hunter2/x",
  "ssh://git.example.com/-x%0ahunter2",
  "git@git.example.com:-hunter2",
  "-oProxyCommand=hunter2:x",
  "ssh://git@git.example.com/%zz",
])("%j is refused, and not shown", (url) => {
  expect(() => parseRemoteUrl(url)).toThrow(expect.objectContaining({ code: "remote-url-invalid", retry: "never" }));
  expect(() => parseRemoteUrl(url)).not.toThrow(/hunter2/);
});
