// An OpenID Connect provider on two ports of the loopback, with the same keys: two issuers, one of which is not ours.
// Lines on standard input change it: `rotate` adds a key that signs from now on, `withdraw` drops all but that one.
// An object `{header, claims}` is made a token, with the key that signs now. Each line is answered by one of JSON; the first tells the issuers. It ends with its standard input.
import { createPrivateKey, generateKeyPairSync, randomUUID, sign } from "node:crypto";
import { createServer } from "node:http";
import { createInterface } from "node:readline";
import { Provider } from "oidc-provider";

const claims = {
  quality: { organisation: "L01", role: "chain-leader" },
  bound: { organisation: "L01", role: "analyst", purpose: "research" },
  groups: { firm: { code: "leader-one" }, groups: ["staff", "cg-supplier"] },
  nobody: {},
};

function key() {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  return { ...privateKey.export({ format: "jwk" }), kid: randomUUID(), use: "sig", alg: "RS256" };
}

function callback(issuer, keys) {
  const provider = new Provider(issuer, {
    clients: Object.keys(claims).map((client_id) => ({
      client_id, client_secret: "secret", grant_types: ["client_credentials"], redirect_uris: [], response_types: [],
    })),
    jwks: { keys },
    cookies: { keys: [randomUUID()] },
    extraTokenClaims: (_context, token) => claims[token.clientId],
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: (_context, resource) => ({
          scope: "graph", audience: resource, accessTokenFormat: "jwt", accessTokenTTL: 600,
        }),
      },
    },
  });
  return provider.callback();
}

function signed({ header, claims }) {
  const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const text = `${part(header)}.${part(claims)}`;
  const secret = createPrivateKey({ key: keys[0], format: "jwk" });
  return `${text}.${sign("sha256", Buffer.from(text), secret).toString("base64url")}`;
}

let keys = [key()];
const servers = [0, 1].map(() => createServer((request, response) => request.socket.server.answer(request, response)));
await Promise.all(servers.map((server) => new Promise((up) => server.listen(0, "127.0.0.1", up))));
const issuers = servers.map((server) => `http://127.0.0.1:${server.address().port}`);

function serve() {
  servers.forEach((server, at) => { server.answer = callback(issuers[at], keys); });
  console.log(JSON.stringify({ issuers, kids: keys.map((each) => each.kid) }));
}

serve();
for await (const line of createInterface({ input: process.stdin })) {
  if (line.startsWith("{")) {
    console.log(JSON.stringify({ token: signed(JSON.parse(line)) }));
  } else {
    keys = line === "rotate" ? [key(), ...keys] : keys.slice(0, 1);
    serve();
  }
}
process.exit(0);
