// A public client on oidc-client-ts.  What it found stands as JSON in #status.
const here = window.location.origin
const status = document.getElementById('status')
const show = (what) => { status.textContent = JSON.stringify(what) }
const person = (user) => user && {
  profile: user.profile, access: user.access_token, refresh: user.refresh_token ?? null, state: user.state ?? null,
}
const fail = (error) => show({ error: error.error ?? String(error) })

const start = async () => {
  const told = await (await fetch('/settings.json')).json()
  const manager = new oidc.UserManager({
    ...told,
    scope: 'openid profile email',
    redirect_uri: `${here}/index.html`,
    silent_redirect_uri: `${here}/renewed.html`,
    post_logout_redirect_uri: `${here}/index.html?bye`,
    loadUserInfo: true,
    automaticSilentRenew: false,
    revokeTokensOnSignout: true,
    silentRequestTimeoutInSeconds: 5,
  })
  document.getElementById('sign-in').onclick = () => manager.signinRedirect({ state: 'deep/link' }).catch(fail)
  document.getElementById('renew').onclick = () => manager.signinSilent().then(person).then(show, fail)
  document.getElementById('sign-out').onclick = () => manager.signoutRedirect().catch(fail)
  const query = new URLSearchParams(window.location.search)
  if (query.has('code')) return person(await manager.signinCallback())
  if (query.has('bye')) await manager.signoutCallback()
  return person(await manager.getUser())
}
start().then(show, fail)
