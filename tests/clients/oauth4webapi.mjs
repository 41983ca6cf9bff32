// A client on oauth4webapi, step by step: with client_secret_basic, or public when it is given no secret.
import * as oauth from 'oauth4webapi'
import { open, tell, told } from './conversation.mjs'

const { issuer, client_id, secret, redirect_uri, post_logout_redirect_uri, scope } = told
const onLoopback = { [oauth.allowInsecureRequests]: true }
const address = new URL(issuer)
const discovered = await oauth.discoveryRequest(address, { ...onLoopback, algorithm: 'oidc' })
const as = await oauth.processDiscoveryResponse(address, discovered)
const client = { client_id }
const proof = secret ? oauth.ClientSecretBasic(secret) : oauth.None()

const verifier = oauth.generateRandomCodeVerifier()
const [state, nonce] = [oauth.generateRandomState(), oauth.generateRandomNonce()]
const request = new URL(as.authorization_endpoint)
request.search = new URLSearchParams({
  client_id, redirect_uri, scope, state, nonce,
  response_type: 'code',
  code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
  code_challenge_method: 'S256',
})
const answer = oauth.validateAuthResponse(as, client, await open(request), state)
const redeemed = await oauth.authorizationCodeGrantRequest(as, client, proof, answer, redirect_uri, verifier, onLoopback)
const checks = { expectedNonce: nonce, requireIdToken: true, maxAge: 60 }
const tokens = await oauth.processAuthorizationCodeResponse(as, client, redeemed, checks)
await oauth.validateApplicationLevelSignature(as, redeemed, onLoopback)
const { sub } = oauth.getValidatedIdTokenClaims(tokens)

const person = async (token) =>
  oauth.processUserInfoResponse(as, client, sub, await oauth.userInfoRequest(as, client, token, onLoopback))
const refresh = async (token) => {
  const response = await oauth.refreshTokenGrantRequest(as, client, proof, token, onLoopback)
  return oauth.processRefreshTokenResponse(as, client, response)
}
const claims = await person(tokens.access_token)
const fresh = await refresh(tokens.refresh_token)
const { email } = await person(fresh.access_token)
tell({ sub, claims, refreshed: email, rotated: fresh.refresh_token !== tokens.refresh_token })

const end = new URL(as.end_session_endpoint)
end.search = new URLSearchParams({ id_token_hint: tokens.id_token, post_logout_redirect_uri, state })
const back = await open(end)
const refused = (error) => error.error ?? error.cause?.[0]?.parameters.error
tell({
  state: back.searchParams.get('state') === state,
  refresh: await refresh(fresh.refresh_token).catch(refused),
  userinfo: await person(fresh.access_token).catch(refused),
})
process.exit()
