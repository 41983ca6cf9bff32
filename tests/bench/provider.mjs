// A foreign provider for the speed bench: `oidc-provider` with a sign-in page of our own, in two processes.
//
// Run as `node provider.mjs CONFIG`; CONFIG is a JSON file that `oidc_provider.py` writes.  What is set here follows
// what Achkych does, so that both do the same work: ES256, JWT access tokens, each refresh token used once, no
// question about consent, Argon2id for passwords.

import cluster from 'node:cluster';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';

import argon2 from 'argon2';
import Provider from 'oidc-provider';

import { adapterOn, openDatabase } from './adapter.mjs';

const WORKERS = 2;
const LONGEST_BODY = 10_000; // bytes of a form
const config = JSON.parse(readFileSync(process.argv[2], 'utf8'));

if (cluster.isPrimary) {
  openDatabase(config.database);
  for (let number = 0; number < WORKERS; number += 1) cluster.fork();
  process.on('SIGTERM', () => process.exit(0)); // the workers end with the channel to us
} else {
  serve(openDatabase(config.database));
}

function serve(database) {
  const people = database.prepare('SELECT login, password_hash FROM person WHERE login = ?');
  const provider = new Provider(config.issuer, settings(adapterOn(database), people));
  const callback = provider.callback();
  createServer((request, response) => {
    if (!request.url.startsWith('/interaction/')) return callback(request, response);
    return signIn(provider, people, request, response).catch((error) => {
      response.writeHead(400, { 'Content-Type': 'text/plain' }).end(String(error.message));
    });
  }).listen(config.port, '127.0.0.1');
}

function settings(adapter, people) {
  return {
    adapter,
    clients: config.clients,
    jwks: config.jwks,
    cookies: { keys: config.cookieKeys },
    clientDefaults: { id_token_signed_response_alg: 'ES256' },
    claims: { openid: ['sub'], profile: ['preferred_username'] },
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      resourceIndicators: { enabled: true, useGrantedResource: () => true, getResourceServerInfo: theResource },
    },
    findAccount: (context, login) => people.get(login) && {
      accountId: login,
      claims: () => ({ sub: login, preferred_username: login }),
    },
    issueRefreshToken: (context, client) => client.grantTypeAllowed('refresh_token'),
    rotateRefreshToken: true,
    loadExistingGrant,
  };
}

function theResource() {
  return {
    scope: 'api', audience: config.resource, accessTokenTTL: 600, accessTokenFormat: 'jwt', jwt: { sign: { alg: 'ES256' } },
  };
}

// Clients of one's own house are not asked about: the grant is made where there is none yet.
async function loadExistingGrant({ oidc }) {
  const known = oidc.session.grantIdFor(oidc.client.clientId);
  if (known) return oidc.provider.Grant.find(known);
  const grant = new oidc.provider.Grant({ clientId: oidc.client.clientId, accountId: oidc.session.accountId });
  grant.addOIDCScope('openid profile');
  grant.addResourceScope(config.resource, 'api');
  await grant.save();
  return grant;
}

async function signIn(provider, people, request, response) {
  const { uid } = await provider.interactionDetails(request, response);
  if (request.method === 'GET') return page(response, 200, uid);
  const form = new URLSearchParams(await bodyOf(request));
  const person = people.get(form.get('login') ?? '');
  if (!person || !(await argon2.verify(person.password_hash, form.get('password') ?? ''))) {
    return page(response, 401, uid);
  }
  return provider.interactionFinished(request, response, { login: { accountId: person.login, amr: ['pwd'] } });
}

function page(response, status, uid) {
  response.writeHead(status, { 'Content-Type': 'text/html; charset=utf-8', 'Cache-Control': 'no-store' });
  response.end(`<!doctype html>
<html lang="en"><head><title>Sign in</title></head><body>
<form method="post" action="/interaction/${uid}">
<label>Login <input name="login" autocomplete="username" required></label>
<label>Password <input name="password" type="password" autocomplete="current-password" required></label>
<button>Sign in</button>
</form></body></html>`);
}

async function bodyOf(request) {
  let body = '';
  for await (const chunk of request) {
    body += chunk;
    if (body.length > LONGEST_BODY) throw new Error('the form is too long');
  }
  return body;
}
