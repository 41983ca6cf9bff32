// A confidential client on openid-client: PKCE, nonce, state, and the ID token's signature checked.
import * as client from 'openid-client'
import { open, tell, told } from './conversation.mjs'

const { issuer, client_id, secret, redirect_uri, post_logout_redirect_uri, scope } = told
const onLoopback = { execute: [client.allowInsecureRequests, client.enableNonRepudiationChecks] }
const config = await client.discovery(new URL(issuer), client_id, secret, undefined, onLoopback)

const verifier = client.randomPKCECodeVerifier()
const [state, nonce] = [client.randomState(), client.randomNonce()]
const answer = await open(client.buildAuthorizationUrl(config, {
  redirect_uri, scope, state, nonce,
  code_challenge: await client.calculatePKCECodeChallenge(verifier),
  code_challenge_method: 'S256',
}))
const checks = { pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce, maxAge: 60 }
const tokens = await client.authorizationCodeGrant(config, answer, { ...checks, idTokenExpected: true })
const { sub } = tokens.claims()
const claims = await client.fetchUserInfo(config, tokens.access_token, sub)

const fresh = await client.refreshTokenGrant(config, tokens.refresh_token)
const { email } = await client.fetchUserInfo(config, fresh.access_token, sub)
tell({ sub, claims, refreshed: email, rotated: fresh.refresh_token !== tokens.refresh_token })

const end = { id_token_hint: tokens.id_token, post_logout_redirect_uri, state }
const back = await open(client.buildEndSessionUrl(config, end))
const refused = (error) => error.error ?? error.cause?.[0]?.parameters.error
tell({
  state: back.searchParams.get('state') === state,
  refresh: await client.refreshTokenGrant(config, fresh.refresh_token).catch(refused),
  userinfo: await client.fetchUserInfo(config, fresh.access_token, sub).catch(refused),
})
process.exit()
