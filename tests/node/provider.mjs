// A certified OpenID provider on loopback, at the paths of Fanvue's authorization server: opaque access tokens, rotation
// on, and no grace: a spent refresh token ends its whole chain. It signs everybody in who has a name. Its first line on
// stdout says where it is and what the client's secret is; it ends with whoever holds its stdin.

import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { createServer } from 'node:http';

import { Provider } from 'oidc-provider';

const client = {
  client_id: 'fankeep-tests',
  client_secret: randomBytes(32).toString('hex'),
  redirect_uris: ['http://localhost:8080/auth/callback'],
  grant_types: ['authorization_code', 'refresh_token'],
  response_types: ['code'],
  token_endpoint_auth_method: 'client_secret_basic',
};
const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const key = { ...privateKey.export({ format: 'jwk' }), alg: 'RS256', use: 'sig', kid: 'tests' };

const server = createServer();
server.listen(0, '127.0.0.1', () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, {
    clients: [client],
    cookies: { keys: [randomBytes(32).toString('hex')] },
    features: { revocation: { enabled: true } },
    findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
    jwks: { keys: [key] },
    rotateRefreshToken: true,
    routes: {
      authorization: '/oauth2/auth',
      token: '/oauth2/token',
      revocation: '/oauth2/revoke',
      userinfo: '/userinfo',
      jwks: '/.well-known/jwks.json',
    },
    ttl: {
      AccessToken: 3600,
      AuthorizationCode: 60,
      Grant: 3600,
      IdToken: 600,
      Interaction: 600,
      RefreshToken: 3600,
      Session: 3600,
    },
  });
  server.on('request', provider.callback());
  const { client_id, client_secret, redirect_uris } = client;
  console.log(JSON.stringify({ issuer, client_id, client_secret, redirect_uri: redirect_uris[0] }));
});

process.stdin.resume().on('end', () => process.exit());
